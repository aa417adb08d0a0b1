#pragma once

#include <holdfast/store/detail/record_block.hpp>
#include <holdfast/store/record_limits.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace holdfast::detail {

enum class index_type : std::uint8_t { unique, ordered, inverted };

/// What the values of an index are. Dates are integers; of an inverted index they are the parts of
/// texts or arrays, see `parts_of`.
enum class index_kind : std::uint8_t { boolean, integer, number, text, part };

/// A value as keys and indexes see it: null, a boolean or integer (in `integer`), a real, or text.
/// The text belongs to somebody else.
struct key_view {
  slot_tag tag = slot_tag::null; ///< null, boolean, integer, real or text
  union {
    std::int64_t integer = 0;
    double real;
  };
  std::string_view text;

  key_view() = default;
  explicit key_view(bool v) noexcept : tag(slot_tag::boolean), integer(v ? 1 : 0) {}
  explicit key_view(std::int64_t v) noexcept : tag(slot_tag::integer), integer(v) {}
  explicit key_view(double v) noexcept : tag(slot_tag::real), real(v) {}
  explicit key_view(std::string_view v) noexcept : tag(slot_tag::text), text(v) {}
  bool is_null() const noexcept { return tag == slot_tag::null; }

  /// The value in a record's slot; arrays and objects by their bytes.
  static key_view of(const record_block& block, std::uint32_t slot_number) noexcept {
    const slot& s = block.slots()[slot_number];
    switch (s.tag) {
    case slot_tag::null:
      return {};
    case slot_tag::boolean:
      return key_view(s.integer != 0);
    case slot_tag::integer:
      return key_view(s.integer);
    case slot_tag::real:
      return key_view(s.real);
    case slot_tag::short_text:
    case slot_tag::text:
    case slot_tag::array:
    case slot_tag::object:
      return key_view(block.bytes_of(s));
    }
    return {};
  }
};

/// Total order: null, booleans, numbers (integers and reals compared exactly, NaN last), texts by
/// bytes. Negative, 0 or positive.
int compare(const key_view& a, const key_view& b) noexcept;

std::uint64_t hash_of(std::string_view text) noexcept;
std::uint64_t hash_of(std::int64_t integer) noexcept;
/// Equal values (1 and 1.0 too) have equal hashes.
std::uint64_t hash_of(const key_view& key) noexcept;
/// The hash of a record's slot.
inline std::uint64_t hash_of(const record_block& block, std::uint32_t slot_number) noexcept {
  return hash_of(key_view::of(block, slot_number));
}

/// The first 64 bits of the order of an index: `a < b` implies `prefix(a) <= prefix(b)`. 0 for
/// null.
std::uint64_t prefix_of(index_kind kind, const key_view& key) noexcept;

/// Whether entries with the key's prefix are all equal to the key, so that no record need be read.
bool prefix_decides(index_kind kind, const key_view& key) noexcept;

} // namespace holdfast::detail
