#pragma once

#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace holdfast::testing {

/// What a subscriber was told, in order.
template <class T>
class told {
public:
  std::function<void(const query_update&)> here() {
    return [this](const query_update& now) {
      const std::lock_guard lock{mutex_};
      if (now.outcome)
        values_.push_back(now.as<T>());
      else
        errors_.push_back(now.outcome.error().to_string());
      seqs_.emplace_back(now.memory_seq, now.durable_seq);
      changes_.push_back(now.changes());
    };
  }
  std::vector<T> values() const {
    const std::lock_guard lock{mutex_};
    return values_;
  }
  std::vector<std::string> errors() const {
    const std::lock_guard lock{mutex_};
    return errors_;
  }
  list_changes last_changes() const {
    const std::lock_guard lock{mutex_};
    return changes_.back();
  }
  std::vector<std::pair<sequence, sequence>> seqs() const {
    const std::lock_guard lock{mutex_};
    return seqs_;
  }

private:
  mutable std::mutex mutex_;
  std::vector<T> values_;
  std::vector<std::string> errors_;
  std::vector<std::pair<sequence, sequence>> seqs_;
  std::vector<list_changes> changes_;
};

struct live_query : ::testing::Test {
  store db = std::move(*store::start());
  bucket<> users = std::move(*db.define(schema("users")
                                            .key("id", integer())
                                            .field("role", string())
                                            .field("age", integer())
                                            .field("name", string())
                                            .index("age")));
  bucket<> orders = std::move(
      *db.define(schema("orders").key("id", integer()).field("user", integer()).index("user")));

  void SetUp() override {
    for (int i = 1; i <= 3; ++i)
      add(i, i < 3 ? "user" : "admin", 10 * i);
  }
  void add(int id, const char* role, int age) {
    ASSERT_TRUE(users.insert({{"id", id}, {"role", role}, {"age", age}}).get());
  }
  void age(int id, int years) { ASSERT_TRUE(users.update(id, {{"age", years}}).get()); }
  void settle() { ASSERT_TRUE(db.settle()); }
  void define_adults() {
    ASSERT_TRUE(db.define_query("adults", [this](query_context& in, const object& with) {
      return in.in(users).where("age"_f >= *with.find("least")).count();
    }));
  }
  std::uint64_t runs(std::string_view name, const object& with = {}) {
    return db.why(name, with)->runs;
  }
};

} // namespace holdfast::testing
