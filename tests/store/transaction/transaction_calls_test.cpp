// Every call of a bucket's handle, within a transaction and without one: the same answer, and in
// the end the same records.
#include <holdfast/store/detail/bucket_core.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;

struct guest {
  std::string name;
  std::int64_t age = 0;
  std::optional<std::string> room;
};

} // namespace
} // namespace holdfast::testing

template <>
inline constexpr auto
    holdfast::mapping<holdfast::testing::guest> = holdfast::map_to<holdfast::testing::guest>(
        "guests", holdfast::key<&holdfast::testing::guest::name>(),
        holdfast::field<&holdfast::testing::guest::age>(holdfast::indexed),
        holdfast::field<&holdfast::testing::guest::room>());

namespace holdfast::testing {
namespace {

// -- answers as text

std::string text(const record& r) { return r.to_string() + " v" + std::to_string(r.version()); }
std::string text(const value& v) { return v.to_string(); }
std::string text(const object& o) { return value{o}.to_string(); }
std::string text(const guest& g) {
  return g.name + " " + std::to_string(g.age) + " " + g.room.value_or("-");
}
std::string text(std::uint64_t n) { return std::to_string(n); }
std::string text(const explanation& e) { return e.to_string(); }
template <class T>
std::string text(const std::optional<T>& x) {
  return x ? text(value{*x}) : "none";
}
template <class T>
std::string text(const std::vector<T>& list) {
  std::string out;
  for (auto& each : list)
    out += text(each) + "; ";
  return out;
}
std::string text(const groups& list) {
  std::string out;
  for (auto& each : list)
    out += text(each.key) + "= " + text(each.results);
  return out;
}
std::string text(const page& p) { return text(p.items) + p.next.value_or("end"); }
std::string text(const typed_page<guest>& p) { return text(p.items) + p.next.value_or("end"); }
std::string text(const query_list& l) { return text(l.items) + text(l.objects); }
template <class T>
std::string text(const result<T>& r) {
  return r ? text(*r) : r.error().to_string();
}
template <class T>
std::string text(pending<T> p) {
  return text(std::move(p).get());
}

struct call {
  std::string name;
  std::function<std::string(const bucket<>&, const bucket<guest>&)> make;
};

/// A call by a handle of records, and one by a handle of structs.
call of(std::string name, std::function<std::string(const bucket<>&)> make) {
  return {std::move(name), [make](auto& plain, auto&) { return make(plain); }};
}
call typed(std::string name, std::function<std::string(const bucket<guest>&)> make) {
  return {std::move(name), [make](auto&, auto& guests) { return make(guests); }};
}

const filter grown = "age"_f >= 18;

std::vector<call> writes() {
  using b = const bucket<>&;
  using g = const bucket<guest>&;
  const std::vector<object> list{{{"name", "Ann"}, {"age", 1}}, {{"name", "Zoe"}, {"age", 2}}};
  const std::vector<object> fresh{{{"name", "Yan"}, {"age", 1}}, {{"name", "Zoe"}, {"age", 2}}};
  return {
      of("insert",
         [](b x) {
           return text(x.insert({{"name", "Zoe"}, {"age", 7}}));
         }),
      of("insert an object",
         [](b x) {
           return text(x.insert(object{{"name", "Zoe"}, {"age", 7}}));
         }),
      of("insert a draft",
         [](b x) {
           return text(x.insert(draft{x.compiled(), object{{"name", "Zoe"}, {"age", 7}}}));
         }),
      of("insert what is there",
         [](b x) {
           return text(x.insert({{"name", "Ann"}, {"age", 7}}));
         }),
      of("insert nonsense",
         [](b x) {
           return text(x.insert({{"name", 1}, {"age", "x"}}));
         }),
      of("insert for a while",
         [](b x) {
           return text(x.insert({{"name", "Zoe"}, {"age", 7}}, {.expires_in = 1s}));
         }),
      of("insert in place of what has expired",
         [](b x) {
           return text(x.insert({{"name", "Old"}, {"age", 7}}));
         }),
      of("insert many", [fresh](b x) { return text(x.insert_many(fresh)); }),
      of("insert many, one of them there", [list](b x) { return text(x.insert_many(list)); }),
      of("update",
         [](b x) {
           return text(x.update("Ann", {{"age", 7}}));
         }),
      of("update by an object",
         [](b x) {
           return text(x.update("Ann", object{{"room", nullptr}}));
         }),
      of("update a version",
         [](b x) {
           return text(x.update("Ann", {{"age", 7}}, {.expected_version = 9}));
         }),
      of("update what is not there",
         [](b x) {
           return text(x.update("No", {{"age", 7}}));
         }),
      of("touch", [](b x) { return text(x.touch("Ann", {.expires_in = 1s})); }),
      of("touch without a deadline", [](b x) { return text(x.touch("Ann")); }),
      of("modify",
         [](b x) {
           return text(x.modify("Ann", [](const record& r) {
             return object{{"age", r["age"].as_int() + 1}};
           }));
         }),
      of("upsert",
         [](b x) {
           return text(x.upsert({{"name", "Ann"}, {"age", 7}}));
         }),
      of("upsert an object",
         [](b x) {
           return text(x.upsert(object{{"name", "Zoe"}, {"age", 7}}));
         }),
      of("upsert a draft",
         [](b x) {
           return text(x.upsert(draft{x.compiled(), object{{"name", "Ann"}, {"age", 7}}}));
         }),
      of("upsert many", [list](b x) { return text(x.upsert_many(list)); }),
      of("update many",
         [](b x) {
           return text(x.update_many(grown, {{"room", "1"}}));
         }),
      of("update many by an object",
         [](b x) {
           return text(x.update_many(grown, object{{"room", "1"}}));
         }),
      of("update many to nonsense",
         [](b x) {
           return text(x.update_many(grown, {{"age", "x"}}));
         }),
      of("erase", [](b x) { return text(x.erase("Ann")); }),
      of("erase what is not there", [](b x) { return text(x.erase("No")); }),
      of("erase for a while", [](b x) { return text(x.erase("Ann", {.expires_in = 1s})); }),
      of("erase many", [](b x) { return text(x.erase_many(grown)); }),
      of("clear", [](b x) { return text(x.clear()); }),
      of("purge", [](b x) { return text(x.purge()); }),
      of("with another durability",
         [](b x) {
           return text(x.with(durability::sync).insert({{"name", "Zoe"}, {"age", 7}}));
         }),

      typed("insert a struct",
            [](g x) {
              return text(x.insert({"Zoe", 7, {}}));
            }),
      typed("insert structs",
            [](g x) {
              return text(x.insert_many({{"Yan", 7, {}}, {"Zoe", 8, "9"}}));
            }),
      typed("update a struct", [](g x) { return text(x.update("Ann", set<&guest::age>(7))); }),
      typed(
          "update a struct's version",
          [](g x) { return text(x.update("Ann", {.expected_version = 1}, set<&guest::age>(7))); }),
      typed("modify a struct",
            [](g x) { return text(x.modify("Ann", [](guest& a) { ++a.age; })); }),
      typed("touch a struct", [](g x) { return text(x.touch("Ann", {.expires_in = 1s})); }),
      typed("upsert a struct",
            [](g x) {
              return text(x.upsert({"Ann", 7, {}}));
            }),
      typed("upsert structs",
            [](g x) {
              return text(x.upsert_many({{"Ann", 7, {}}, {"Zoe", 8, {}}}));
            }),
      typed("update structs", [](g x) { return text(x.update_many(grown, set<&guest::age>(40))); }),
      typed(
          "update structs with a deadline",
          [](g x) { return text(x.update_many(grown, {.expires_in = 1s}, set<&guest::age>(40))); }),
      typed("erase a struct", [](g x) { return text(x.erase("Ann")); }),
      typed("erase structs", [](g x) { return text(x.erase_many(grown)); }),
      typed("clear structs", [](g x) { return text(x.clear()); }),
      typed("purge structs", [](g x) { return text(x.purge()); }),
      typed("structs with another durability",
            [](g x) { return text(x.with(durability::none).erase("Ann")); }),
  };
}

std::vector<call> reads() {
  using b = const bucket<>&;
  using g = const bucket<guest>&;
  auto visited = [](auto&& visit) {
    std::string seen;
    auto count = visit([&](const record_view& r) { seen += r.key().to_string(); });
    return seen + (count ? std::to_string(static_cast<int>(*count)) : count.error().to_string());
  };
  return {
      of("name", [](b x) { return x.name(); }),
      of("compiled", [](b x) { return x.compiled().bucket(); }),
      of("get", [](b x) { return text(x.get("Ann")); }),
      of("get what is not there", [](b x) { return text(x.get("No")); }),
      of("get what has expired", [](b x) { return text(x.get("Old")); }),
      of("find", [](b x) { return text(x.find("Bob")); }),
      of("contains", [](b x) { return std::to_string(x.contains("Ann")); }),
      of("visit", [=](b x) { return visited([&](auto f) { return x.visit("Ann", f); }); }),
      of("all", [](b x) { return text(x.all()); }),
      of("find one", [](b x) { return text(x.find_one(grown)); }),
      of("count", [](b x) { return text(x.count()); }),
      of("count some", [](b x) { return text(x.count(grown)); }),
      of("first", [](b x) { return text(x.first(2)); }),
      of("last", [](b x) { return text(x.last(2)); }),
      of("first of a negative count", [](b x) { return text(x.first(-1)); }),
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
         [=](b x) {
           return visited([&](auto f) { return x.everything().order_by("age").visit(f); });
         }),
      of("a list", [](b x) { return text(x.everything().fields({"age"}).list()); }),
      of("an unknown field", [](b x) { return text(x.where("none"_f == 1).all()); }),

      typed("get a struct", [](g x) { return text(x.get("Ann")); }),
      typed("find a struct", [](g x) { return text(x.find("No")); }),
      typed("contains a struct", [](g x) { return std::to_string(x.contains("Ann")); }),
      typed("visit a struct",
            [=](g x) { return visited([&](auto f) { return x.visit("Ann", f); }); }),
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
            [=](g x) { return visited([&](auto f) { return x.everything().visit(f); }); }),
  };
}

/// One guest is no longer there, and nobody purges but who asks.
struct a_hotel {
  manual_clock clock;
  store db = start();
  bucket<guest> guests = std::move(*db.define<guest>());

  store start() {
    store_options options;
    options.ttl_interval = 0ms;
    options.runtime_settings.clock = &clock;
    return std::move(*store::start(std::move(options)));
  }
  a_hotel() {
    EXPECT_TRUE(guests.insert({"Old", 99, "1"}, {.expires_in = 1ms}).get());
    for (auto& each : std::vector<guest>{{"Ann", 30, "1"}, {"Bob", 20, "2"}, {"Cy", 10, {}}})
      EXPECT_TRUE(guests.insert(each).get());
    clock.advance(1s);
  }
  std::string answer(const call& c) { return c.make(guests.plain(), guests); }
  /// Within a transaction; what `also` gives there behind it.
  std::string answer_within(const call& c, const std::vector<call>& also,
                            std::vector<std::string>& seen) {
    std::string out;
    auto done = db.transact([&](transaction& tx) -> result<void> {
      const auto mine = tx.in(guests);
      out = c.make(mine.plain(), mine);
      for (auto& each : also)
        seen.push_back(each.make(mine.plain(), mine));
      return {};
    });
    EXPECT_TRUE(done) << done.error().to_string();
    return out;
  }
};

/// Every read behind every write: what a transaction sees is what everybody sees after its commit,
/// and what another store shows where the same call was made by itself.
TEST(a_call_within_a_transaction, gives_what_it_gives_without_one) {
  const auto looks = reads();
  for (auto& each : writes()) {
    SCOPED_TRACE(each.name);
    a_hotel within, without;
    std::vector<std::string> seen;
    EXPECT_EQ(within.answer_within(each, looks, seen), without.answer(each));
    for (std::size_t i = 0; i < looks.size(); ++i) {
      SCOPED_TRACE(looks[i].name);
      EXPECT_EQ(seen[i], within.answer(looks[i]));
      EXPECT_EQ(seen[i], without.answer(looks[i]));
    }
    EXPECT_EQ(within.guests.plain().core().data().live_count(),
              without.guests.plain().core().data().live_count())
        << "records that are held";
  }
}

TEST(a_call_within_a_transaction, says_how_it_is_answered) {
  a_hotel hotel;
  auto how = [](const bucket<guest>& x) {
    return text(x.where(f<&guest::age> == 20).explain()) +
           text(x.plain().where("age"_f > 20).explain());
  };
  const auto outside = how(hotel.guests);
  EXPECT_TRUE(hotel.db.transact([&](transaction& tx) -> result<void> {
    EXPECT_EQ(how(tx.in(hotel.guests)), outside);
    return {};
  }));
}

/// `at` leaves the transaction: a snapshot is another moment than its own.
TEST(a_call_within_a_transaction, may_look_at_a_snapshot) {
  a_hotel hotel;
  const auto before = hotel.db.snapshot();
  EXPECT_TRUE(hotel.db.transact([&](transaction& tx) -> result<void> {
    auto mine = tx.in(hotel.guests);
    EXPECT_TRUE(mine.erase("Ann").get());
    EXPECT_FALSE(mine.contains("Ann"));
    EXPECT_TRUE(mine.at(before).contains("Ann"));
    EXPECT_EQ(mine.at(before).erase("Bob").get().error(), errc::invalid_argument);
    EXPECT_EQ(mine.at(before).purge().error(), errc::invalid_argument);
    return {};
  }));
}

} // namespace
} // namespace holdfast::testing
