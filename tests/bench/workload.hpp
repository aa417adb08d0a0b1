#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::bench {

/// The records of workload W.
inline constexpr std::uint32_t people_count = 100'000;

/// One record of it, as a service would hold it in a struct of its own.
struct person {
  std::string id;    ///< text of a uuid, 36 bytes
  std::string name;  ///< 12 bytes
  std::string email; ///< 17-23 bytes, unique
  std::string role;  ///< "admin" in 1 % of them, else "user"
  std::int64_t age = 0;
  double balance = 0;
};

/// Records `[from, from + count)` of the workload; the same every time.
std::vector<person> people(std::uint32_t count, std::uint32_t from = 0);

/// `count` indices below `limit` in a random order that is the same every time.
/// Some come more than once, and some not at all.
std::vector<std::uint32_t> random_order(std::size_t count, std::uint32_t limit);

/// All numbers below `count`, each once, in a random order that is the same every time.
std::vector<std::uint32_t> shuffled(std::uint32_t count);

} // namespace holdfast::bench
