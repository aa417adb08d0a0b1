#include "transaction_call_texts.hpp"

namespace holdfast::testing::hotel {
namespace {

/// The keys that a visit came by, and what it gave in the end.
template <class Visit>
std::string visited(Visit&& visit) {
  std::string seen;
  auto count = visit([&](const record_view& r) { seen += r.key().to_string(); });
  return seen + (count ? std::to_string(static_cast<int>(*count)) : count.error().to_string());
}

std::vector<call> reads_of_the_bucket() {
  using b = const bucket<>&;
  return {
      of("name", [](b x) { return x.name(); }),
      of("compiled", [](b x) { return x.compiled().bucket(); }),
      of("get", [](b x) { return text(x.get("Ann")); }),
      of("get what is not there", [](b x) { return text(x.get("No")); }),
      of("get what has expired", [](b x) { return text(x.get("Old")); }),
      of("find", [](b x) { return text(x.find("Bob")); }),
      of("contains", [](b x) { return std::to_string(x.contains("Ann")); }),
      of("visit", [](b x) { return visited([&](auto f) { return x.visit("Ann", f); }); }),
      of("all", [](b x) { return text(x.all()); }),
      of("find one", [](b x) { return text(x.find_one(grown)); }),
      of("count", [](b x) { return text(x.count()); }),
      of("count some", [](b x) { return text(x.count(grown)); }),
      of("first", [](b x) { return text(x.first(2)); }),
      of("last", [](b x) { return text(x.last(2)); }),
      of("first of a negative count", [](b x) { return text(x.first(-1)); }),
  };
}

std::vector<call> reads_of_selections() {
  using b = const bucket<>&;
  return {
      of("a selection",
         [](b x) {
           auto s = x.where(grown).where("name"_f != "Bob").order_by("room").then_by("age");
           return s.description().to_string() + text(s.all());
         }),
      of("a cut selection",
         [](b x) {
           return text(
               x.everything().order_by("age", direction::descending).offset(1).limit(2).all());
         }),
      of("objects",
         [](b x) {
           return text(x.everything().fields({"name", "age"}).objects());
         }),
      of("one of a selection", [](b x) { return text(x.everything().order_by("age").find_one()); }),
      of("the number of a selection", [](b x) { return text(x.everything().limit(2).count()); }),
      of("the first of a selection", [](b x) { return text(x.where(grown).first(1)); }),
      of("the last of a selection", [](b x) { return text(x.where(grown).last(1)); }),
      of("pages",
         [](b x) {
           auto s = x.everything().order_by("age");
           auto first = s.page_of(2).get().value();
           return text(first) + (first.next ? text(s.page_of(2, first.next)) : "");
         }),
      of("a malformed cursor", [](b x) { return text(x.everything().page_of(2, "?")); }),
      of("numbers",
         [](b x) {
           auto s = x.everything();
           return text(s.sum("age")) + " " + text(s.avg("age")) + " " + text(s.min("age")) + " " +
                  text(s.max("name"));
         }),
      of("groups",
         [](b x) {
           return text(
               x.everything().group_by({"room"}, {aggregate::count(), aggregate::sum("age")}));
         }),
      of("visits",
         [](b x) {
           return visited([&](auto f) { return x.everything().order_by("age").visit(f); });
         }),
      of("a list", [](b x) { return text(x.everything().fields({"age"}).list()); }),
      of("an unknown field", [](b x) { return text(x.where("none"_f == 1).all()); }),
  };
}

std::vector<call> typed_reads() {
  using g = const bucket<guest>&;
  return {
      typed("get a struct", [](g x) { return text(x.get("Ann")); }),
      typed("find a struct", [](g x) { return text(x.find("No")); }),
      typed("contains a struct", [](g x) { return std::to_string(x.contains("Ann")); }),
      typed("visit a struct",
            [](g x) { return visited([&](auto f) { return x.visit("Ann", f); }); }),
      typed("all structs", [](g x) { return text(x.all()); }),
      typed("find one struct", [](g x) { return text(x.find_one(f<&guest::age> >= 18)); }),
      typed("count structs", [](g x) { return text(x.count()) + text(x.count(grown)); }),
      typed("first and last structs", [](g x) { return text(x.first(1)) + text(x.last(1)); }),
      typed("a typed selection",
            [](g x) {
              auto s = x.where(grown).order_by(f<&guest::age>).then_by(f<&guest::name>).limit(2);
              return text(s.all()) + text(s.find_one()) + text(s.count()) + text(s.first(1)) +
                     text(s.last(1)) + text(s.page_of(1)) + text(s.plain().all());
            }),
      typed("typed numbers",
            [](g x) {
              auto s = x.everything();
              return text(s.sum(f<&guest::age>)) + text(s.avg(f<&guest::age>)) +
                     text(s.min(f<&guest::age>)) + text(s.max(f<&guest::name>)) +
                     text(s.group_by({f<&guest::room>}, {aggregate::avg(f<&guest::age>)}));
            }),
      typed("typed visits",
            [](g x) { return visited([&](auto f) { return x.everything().visit(f); }); }),
  };
}

} // namespace

std::vector<call> reads() {
  std::vector<call> out;
  for (auto& some : {reads_of_the_bucket(), reads_of_selections(), typed_reads()})
    out.insert(out.end(), some.begin(), some.end());
  return out;
}

} // namespace holdfast::testing::hotel
