#pragma once

#include <holdfast/store/detail/plan.hpp>
#include <holdfast/store/detail/read_key.hpp>
#include <holdfast/store/detail/reader.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

/// How a plan's records are reached, one after another, without sorting and without allocating per
/// record. All functions call `fn(const record_block&) -> bool` under the reader's pin and end when
/// it returns false; they return whether they came to the end.
namespace holdfast::detail {

/// The records of an access that may come more than once, in order of rows.
template <class Fn>
bool each_in_row_order(std::vector<const record_block*>& found, Fn&& fn) {
  std::ranges::sort(found, {}, &record_block::row);
  found.erase(std::unique(found.begin(), found.end()), found.end());
  for (const auto* block : found)
    if (!fn(*block))
      return false;
  return true;
}

template <class Fn>
bool each_key(const reader& from, const access& by, Fn&& fn) {
  auto find = [&](const value& x) {
    return by.from == explanation::source::primary_key ? from.find_key(x)
                                                       : from.find_unique(by.index, x);
  };
  if (by.values.size() == 1) {
    auto* block = find(by.values[0]);
    return !block || fn(*block);
  }
  std::vector<const record_block*> found;
  found.reserve(by.values.size());
  for (const auto& x : by.values)
    if (auto* block = find(x))
      found.push_back(block);
  return each_in_row_order(found, fn);
}

/// What is found more than once comes once.
template <class Fn>
bool each_of_parts(const reader& from, const access& by, Fn&& fn) {
  std::vector<const record_block*> found;
  for (const auto& range : by.ranges)
    from.each_entry(by.index, range.first, range.last, [&](const record_block& block) {
      found.push_back(&block);
      return true;
    });
  return each_in_row_order(found, fn);
}

/// Records of one access whose row is at least `first_row`; by rank if the access has one value.
template <class Fn>
bool each_of(const reader& from, const access& by, std::uint64_t first_row, Fn&& fn) {
  if (by.from == explanation::source::inverted_index)
    return each_of_parts(from, by, fn);
  if (by.from != explanation::source::index)
    return each_key(from, by, fn);
  for (auto range : by.ranges) {
    if (by.one_value && first_row > 0)
      range.first = std::max(range.first, from.rank(by.index, by.equal.all(), first_row));
    if (!from.each_entry(by.index, range.first, range.last, fn))
      return false;
  }
  return true;
}

/// What a plan finds through indexes while a transaction has written to the bucket: of the snapshot
/// what it did not touch, then its own records, in no order.
template <class Fn>
bool each_over_own(const reader& from, const plan& how, std::int64_t now, std::uint64_t first_row,
                   Fn&& fn) {
  const auto& own = *from.own();
  std::vector<const record_block*> found;
  auto gather = [&](const record_block& block) {
    if (!own.touches(block.row))
      found.push_back(&block);
    return true;
  };
  for (const auto& part : how.parts)
    each_of(from, part, 0, gather);
  auto check = [&](const matcher& which, const record_block& block) {
    return expired(block, now) || block.row < first_row || !which(block) ||
           static_cast<bool>(fn(block));
  };
  if (!each_in_row_order(found, [&](auto& block) { return check(how.residual, block); }))
    return false;
  const auto of_own = [&](auto& block) { return check(*how.of_own, block); };
  const auto* by = how.of_own->equality();
  return by ? own.each_equal(by->field.slot, key_of(by->operands[0]), of_own)
            : own.each_now(of_own);
}

/// Passes by the first `count` entries of a plan whose only part stands in order of rows, as
/// `index_walk::skip` does.
inline void skip_entries(plan& how, std::uint64_t& count) noexcept {
  if (how.parts.size() != 1 || !how.parts[0].one_value)
    return;
  for (auto& range : how.parts[0].ranges) {
    const auto passed = std::min(count, range.last - range.first);
    range.first += passed;
    count -= passed;
  }
}

/// The records that the plan leads to, before they are checked.
template <class Check>
bool each_reached(const reader& from, const plan& how, std::uint64_t first_row, Check&& check) {
  if (how.nothing)
    return true;
  if (how.parts.empty())
    return from.each_row(first_row, check);
  if (how.parts.size() == 1)
    return each_of(from, how.parts[0], first_row, check);
  std::vector<const record_block*> found;
  auto gather = [&](const record_block& block) {
    found.push_back(&block);
    return true;
  };
  for (const auto& part : how.parts)
    each_of(from, part, 0, gather);
  return each_in_row_order(found, check);
}

/// The plan's records before sorting, that match and have not expired; those of a union and of
/// several keys are each given once. Rows below `first_row` are left out.
template <class Fn>
bool each_match(const reader& from, const plan& how, std::int64_t now, std::uint64_t first_row,
                Fn&& fn) {
  if (how.of_own && !how.nothing && !how.parts.empty()) [[unlikely]]
    return each_over_own(from, how, now, first_row, fn);
  // When the access says it all, nothing is checked per record.
  if (!from.may_have_expired() && how.residual.is_everything() && first_row == 0)
    return each_reached(from, how, 0,
                        [&](const record_block& block) { return static_cast<bool>(fn(block)); });
  return each_reached(from, how, first_row, [&](const record_block& block) {
    if (expired(block, now) || !how.residual(block) || block.row < first_row)
      return true;
    return static_cast<bool>(fn(block));
  });
}

} // namespace holdfast::detail
