#pragma once

#include "tests/support/options_at.hpp"

#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace holdfast::testing {

/// A bucket of items, and what followers of lists of them were told.
struct followed_lists : ::testing::Test {
  manual_clock clock;
  store db = store::start(options_at(clock)).value();
  bucket<> items = std::move(*db.define(schema("items")
                                            .key("id", integer())
                                            .field("kind", string())
                                            .field("n", integer())
                                            .field("rank", integer()) ///< as n, with an index
                                            .field("note", string())
                                            .index("kind")
                                            .index("rank")));
  std::mutex mutex;
  std::map<std::string, std::vector<query_value>> told;
  std::map<std::string, std::vector<list_changes>> changes;
  std::vector<subscription> tokens;

  static object item(std::int64_t id, const char* kind, const value& n, const char* note = "") {
    return {{"id", id}, {"kind", kind}, {"n", n}, {"rank", n}, {"note", note}};
  }
  void put(std::int64_t id, const char* kind, const value& n, const char* note = "") {
    ASSERT_TRUE(items.upsert(item(id, kind, n, note)).get());
  }
  /// Ids from 1 on, of which n is ten times the id.
  void insert(std::int64_t count) {
    std::vector<object> list;
    for (std::int64_t id = 1; id <= count; ++id)
      list.push_back({{"id", id}, {"kind", "odd"}, {"n", 10 * id}, {"rank", 10 * id}});
    ASSERT_TRUE(items.insert_many(list).get());
  }
  void follow(const std::string& name, declared_query what, const live_options& how = {}) {
    ASSERT_TRUE(db.define_query(name, std::move(what)));
    join(name, {}, how);
  }
  void follow(const std::string& name, query what, const live_options& how = {}) {
    follow(name, declared_query{.bucket = "items", .what = std::move(what)}, how);
  }
  void join(const std::string& name, const object& with, const live_options& how = {}) {
    tokens.push_back(db.subscribe(
                           name, with,
                           [this, name](const query_update& now) {
                             const std::lock_guard lock{mutex};
                             told[name].push_back(now.outcome.value());
                             changes[name].push_back(now.changes());
                           },
                           how)
                         .value());
    ASSERT_TRUE(db.settle());
  }
  query_why why(const std::string& name) { return db.why(name, {}).value(); }
  const query_value& last(const std::string& name) {
    EXPECT_TRUE(db.settle());
    const std::lock_guard lock{mutex};
    return told[name].back();
  }
  void expect_runs(const std::string& name, std::uint64_t runs) {
    EXPECT_EQ(why(name).runs, runs) << name << ": " << to_string(why(name).last_run);
  }
  void expect_as_run(const std::string& name) {
    const auto now = last(name), fresh = *db.run(name);
    EXPECT_EQ(now, fresh) << name;
    if (now.if_a<query_list>()) {
      EXPECT_EQ(ids(now), ids(fresh)) << name;
    }
  }
  static std::vector<std::int64_t> ids(const query_value& list) {
    std::vector<std::int64_t> out;
    for (auto& item : list.as<query_list>().items)
      out.push_back(item.key().as_int());
    return out;
  }
};

} // namespace holdfast::testing
