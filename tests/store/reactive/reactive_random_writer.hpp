#pragma once

#include "tests/store/reactive/reactive_queries.hpp"

#include <holdfast/store/store.hpp>

#include <cstdint>
#include <future>
#include <vector>

namespace holdfast::testing {

/// Writes at random, and waits for half of its writes only when it is done. What goes wrong is as
/// if it had not been tried: buckets may be dropped meanwhile.
class random_writer {
public:
  random_writer(store& db, deadlines ends, std::uint64_t seed)
      : db_{db}, ends_{ends}, random_{seed} {}
  ~random_writer();
  random_writer(const random_writer&) = delete;
  random_writer& operator=(const random_writer&) = delete;

  void write();

private:
  bool once_in(int n) { return random_() % static_cast<std::uint64_t>(n) == 0; }
  value key() { return static_cast<std::int64_t>(random_() % reactive_keys); }
  object fields();
  write_options ending();
  void finish(pending<record> write);
  void insert_many(bucket<>& b);
  void transact();

  store& db_;
  const deadlines ends_;
  reactive_random random_;
  std::vector<std::future<result<record>>> waiting_;
};

} // namespace holdfast::testing
