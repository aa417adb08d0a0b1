#include "transaction_call_texts.hpp"

namespace holdfast::testing::hotel {
namespace {

using namespace std::chrono_literals;

std::vector<call> inserts() {
  using b = const bucket<>&;
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
  };
}

std::vector<call> changes_of_one() {
  using b = const bucket<>&;
  return {
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
  };
}

std::vector<call> changes_of_many_and_erasures() {
  using b = const bucket<>&;
  const std::vector<object> list{{{"name", "Ann"}, {"age", 1}}, {{"name", "Zoe"}, {"age", 2}}};
  return {
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
  };
}

std::vector<call> typed_writes() {
  using g = const bucket<guest>&;
  return {
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

} // namespace

std::vector<call> writes() {
  std::vector<call> out;
  for (auto& some : {inserts(), changes_of_one(), changes_of_many_and_erasures(), typed_writes()})
    out.insert(out.end(), some.begin(), some.end());
  return out;
}

} // namespace holdfast::testing::hotel
