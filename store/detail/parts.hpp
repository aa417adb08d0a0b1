#pragma once

#include <holdfast/store/detail/match.hpp>
#include <holdfast/store/detail/order_tree.hpp>
#include <holdfast/store/detail/record_block.hpp>

#include <cstdint>
#include <vector>

/// What an inverted index knows a record by: the parts of a text or an array.
///
/// Of a text these are its endings, one from each of its characters on, without the case of letters
/// and cut to 8 bytes: a suffix array (Manber and Myers 1990) as far as a number goes. What is in a
/// text begins one of its endings, so all texts that have it lie in one range; and what ends a text
/// is one of its endings, which zeros fill up. Of an array they are the hashes of its items.
///
/// A record found so *may* match: what was cut off, or the case of letters, is not known here.
namespace holdfast::detail {

using value_part = std::uint64_t;

/// The part of a value with too many parts (`max_parts`), which is met by every search. No text has
/// it otherwise, for it is no UTF-8; an array's item may.
inline constexpr value_part unparted = ~value_part{0};

/// The parts of the value in a slot, ascending, each once; none of null and of an empty value.
/// O(n log n) in its bytes. Throws `std::bad_alloc`.
std::vector<value_part> parts_of(const record_block& block, std::uint32_t slot_number);

/// Parts `first` to `last`, both included.
struct part_range {
  value_part first = 0;
  value_part last = 0;
};

/// Where the records are that may pass a comparison with a field of this type: in each of these
/// ranges are all of them, but for those that are `unparted`. At most 17, however long the operand;
/// none if parts say nothing about such a comparison. Throws `std::bad_alloc`.
std::vector<part_range> ranges_of(const bound_node& comparison, field_type type);

/// The place of a record's entry, or where it would be.
inline order_probe part_probe(value_part at, std::uint64_t row) noexcept {
  order_probe out;
  out.prefix = at;
  out.row = row;
  out.decided = true;
  return out;
}

} // namespace holdfast::detail
