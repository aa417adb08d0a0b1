#pragma once

#include "kill_check.hpp"
#include "kill_log.hpp"
#include "kill_options.hpp"

#include <tests/support/temporary_directory.hpp>

#include <memory>
#include <random>
#include <string>
#include <vector>

namespace holdfast::testing {

/// Starts children over one directory after another, kills them at random moments, and checks what
/// they leave behind. A function of the seed but for the moments.
class kill_cycles {
public:
  kill_cycles(std::uint64_t seed, int level, planted bug);

  /// One child's life and death; what is wrong afterwards, empty if nothing.
  std::vector<std::string> next();

  /// Over all cycles.
  std::uint64_t acknowledged() const noexcept { return acknowledged_; }
  std::uint64_t least_acknowledged() const noexcept { return least_; }

private:
  struct shared_log;
  void begin_directory();
  std::uint64_t roll(std::uint64_t below) { return random_() % below; }
  kill_orders new_orders();
  /// The child is killed while it opens the store.
  void kill_while_opening();
  std::vector<std::string> run_and_kill(const kill_orders& orders, shared_log& log);

  std::mt19937_64 random_;
  int level_;
  planted bug_;
  std::unique_ptr<temporary_directory> directory_;
  std::unique_ptr<kill_checker> checker_;
  std::uint64_t directory_seed_ = 0;
  unsigned cycles_here_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t least_ = ~std::uint64_t{0};
};

} // namespace holdfast::testing
