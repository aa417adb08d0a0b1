#pragma once

#include "history.hpp"

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::testing {

/// Records that come and go have the keys 0 ... of both buckets. The accounts of the bank and the
/// nodes of the ring stay, and have numbers that no other workload counts.
constexpr std::int64_t key_count = 12;

/// The bank: what all accounts have together never changes.
constexpr std::array<std::int64_t, 3> account_keys{100, 101, 102}; ///< of both buckets
constexpr std::int64_t balance_at_first = 1000;

/// The ring: its nodes are on or off, by turns of the one bucket and the other, and of two
/// neighbours one is on.
constexpr std::array<std::int64_t, 3> node_keys{200, 201, 202}; ///< of both buckets
constexpr std::size_t ring_size = 2 * node_keys.size();
constexpr std::int64_t node_off = 9000, node_on = 9001;

/// Where one of the ring's nodes is, whatever number it is counted as.
constexpr std::pair<bool, std::int64_t> node_at(std::size_t place) {
  return {place % 2 == 1, node_keys[place / 2 % node_keys.size()]};
}

/// Unique values: fewer than records, so that many want one that another has.
constexpr std::array<const char*, 4> tags{"red", "green", "blue", "grey"};

/// What is in both buckets before anything else happens.
struct first_item {
  std::int64_t key = 0;
  std::int64_t number = 0;
};
std::vector<first_item> first_items();

enum class linking : std::uint8_t { absent, present };

/// One random transaction. `act` does a step and tells what it gave; `pick(n)` gives a number below
/// n. With `linking::present`, records of the right bucket refer to those of the left one; with
/// deadlines, some of the right one get others.
void random_work(std::int64_t id, linking references, bool deadlines,
                 const std::function<std::string(step)>& act,
                 const std::function<std::uint64_t(std::uint64_t)>& pick);

/// The unique value in what a look-up gave; empty if there was none.
std::string tag_in(const std::string& gave);

/// The number in what a look-up gave; nothing if there was no record.
std::optional<std::int64_t> number_in(const std::string& gave);

} // namespace holdfast::testing
