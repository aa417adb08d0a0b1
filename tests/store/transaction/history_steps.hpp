#pragma once

#include "history_bench.hpp"

#include <functional>
#include <string>
#include <vector>

namespace holdfast::testing {

/// Does steps in one transaction and keeps what they gave. `between` is called before each.
class actor_of_steps {
public:
  actor_of_steps(bench& on, transaction& tx, planted_bug bug, const std::function<void()>& between);

  std::string operator()(step s);
  std::vector<step> steps;

private:
  std::string run(const step& s, const bucket<>& b, const bucket<>& past) const;

  bucket<> left_, right_;
  planted_bug bug_;
  const std::function<void()>& between_;
  std::int64_t began_;
  snapshot then_;
  bucket<> past_left_, past_right_;
};

/// A write without a transaction. `done` gets its step and commit, or that it was refused; false if
/// it failed, and nothing happened.
bool plain_write(bench& on, unsigned thread, std::uint64_t seed, done_transaction& done,
                 std::vector<std::string>& failures);

/// Reads of both buckets at a snapshot, without a transaction.
void plain_look(bench& on, std::uint64_t seed, const std::function<void()>& between,
                done_transaction& done);

} // namespace holdfast::testing
