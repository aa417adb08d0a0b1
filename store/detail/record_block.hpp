#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace holdfast::detail {

class record_layout;

/// What a slot holds. Texts of at most 14 bytes stand in the slot itself.
enum class slot_tag : std::uint8_t {
  null,
  boolean,
  integer,
  real,
  short_text, ///< `size8` bytes from `text()`
  text,       ///< `size` bytes at `offset` of the tail
  array,      ///< as text; the bytes are an encoded value (store/detail/value_codec.hpp)
  object,     ///< as array
};

/// One field of a record: 16 bytes, no pointer, so that a block can be copied by memcpy.
struct slot {
  slot_tag tag;
  std::uint8_t size8;
  char first[2];      ///< where a short text begins; it goes on over the rest of the slot
  std::uint32_t size; ///< of a text, array or object in the tail
  union {
    std::int64_t integer;
    double real;
    std::uint64_t offset;
  };

  char* text() noexcept { return reinterpret_cast<char*>(this) + 2; }
  const char* text() const noexcept { return reinterpret_cast<const char*>(this) + 2; }
};
static_assert(sizeof(slot) == 16 && offsetof(slot, first) == 2 && offsetof(slot, integer) == 8);

/// Not sealed yet, as a birth; still alive, as a death.
inline constexpr std::uint64_t never = ~std::uint64_t{0};
/// Erased or replaced by a commit that is not sealed yet, as a death.
inline constexpr std::uint64_t dying = never - 1;

/// A record in one allocation: this header, the slots in schema order (then one for the object of
/// the fields outside the schema, if there are any), then the bytes of long texts, arrays and
/// objects.
///
/// Immutable but for the three atomics that place it in time:
///   - it is visible at `s` iff `birth <= s < death`;
///   - versions of one row form a list, newest first, through `prev`;
///   - a row is one life of a key: its first version has no `prev`, and a key that is erased and
///     inserted again gets another row. Row numbers give the order of insertion and are never
///     reused.
/// `refs` counts handles, plus one while the bucket holds the block.
struct record_block {
  std::atomic<std::uint32_t> refs;
  std::uint32_t bytes;              ///< of the whole allocation
  std::atomic<std::uint64_t> birth; ///< seq of the commit that wrote it, or `never`
  std::atomic<std::uint64_t> death; ///< seq of the commit that ended it, `dying` or `never`
  std::int64_t created_at;          ///< microseconds since the epoch
  std::int64_t updated_at;
  std::int64_t expires_at; ///< 0: never
  std::uint64_t row;
  std::uint64_t hash; ///< of the key
  std::atomic<record_block*> prev;
  const record_layout* layout; ///< owned by the block's pool
  std::uint32_t version;       ///< 1 for an insert, then one more per update
  std::uint32_t slot_count;

  slot* slots() noexcept { return reinterpret_cast<slot*>(this + 1); }
  const slot* slots() const noexcept { return reinterpret_cast<const slot*>(this + 1); }
  const char* tail() const noexcept {
    return reinterpret_cast<const char*>(this + 1) + sizeof(slot) * slot_count;
  }
  char* tail() noexcept { return reinterpret_cast<char*>(this + 1) + sizeof(slot) * slot_count; }

  /// The bytes of a text, array or object slot; empty for others.
  std::string_view bytes_of(const slot& s) const noexcept {
    if (s.tag == slot_tag::short_text)
      return {s.text(), s.size8};
    if (s.tag >= slot_tag::text)
      return {tail() + s.offset, s.size};
    return {};
  }
};
static_assert(sizeof(record_block) == 88);

/// Whether the record's deadline has come at `now` (microseconds since the epoch).
inline bool expired(const record_block& block, std::int64_t now) noexcept {
  return block.expires_at != 0 && block.expires_at <= now;
}

} // namespace holdfast::detail
