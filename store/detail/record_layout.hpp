#pragma once

#include <holdfast/store/detail/record_block.hpp>
#include <holdfast/store/detail/value_codec.hpp>
#include <holdfast/store/record_limits.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::detail {

/// One field as a layout knows it.
struct layout_field {
  std::string name;
  field_type type = field_type::string;
  /// The paths below it that hold dates; `*` stands for any position in an array.
  std::vector<std::string> dates;
};

/// Where a bucket's records keep their fields: names to slots, in schema order. Immutable; shared
/// by the compiled schema and by the pool of the bucket's blocks, which outlives every record.
class record_layout {
public:
  static constexpr std::size_t npos = ~std::size_t{0};

  record_layout(std::string bucket, std::vector<layout_field> fields, std::size_t key_slot,
                const record_limits& limits = {});

  const std::string& bucket() const noexcept { return bucket_; }
  std::size_t size() const noexcept { return fields_.size(); }
  std::size_t key_slot() const noexcept { return key_slot_; }
  /// Of records and of filters over them.
  const record_limits& limits() const noexcept { return limits_; }
  const std::string& name(std::size_t slot) const noexcept { return fields_[slot].name; }
  field_type type(std::size_t slot) const noexcept { return fields_[slot].type; }
  /// Whether the schema says that a date stands behind that path into a field; of the field itself
  /// if it is empty. O(paths that do).
  bool holds_date(std::size_t slot, std::string_view path) const;

  /// The slot of a field, or `npos`. A few nanoseconds: up to 16 fields by length and first bytes,
  /// more by hash.
  std::size_t find(std::string_view name) const noexcept {
    return table_.empty() ? find_few(name) : find_hashed(name);
  }
  /// The same, faster if the answer is `guess`: callers name fields mostly in schema order.
  std::size_t find(std::string_view name, std::size_t guess) const noexcept {
    return guess < fields_.size() && fields_[guess].name == name ? guess : find(name);
  }

private:
  static constexpr std::size_t few = 16;
  static std::uint64_t prefix_of(std::string_view name) noexcept;
  std::size_t find_few(std::string_view name) const noexcept;
  std::size_t find_hashed(std::string_view name) const noexcept;

  std::string bucket_;
  std::vector<layout_field> fields_;
  std::size_t key_slot_;
  record_limits limits_;
  std::uint64_t prefixes_[few] = {};
  std::vector<std::uint16_t> table_; ///< open addressing: slot + 1, 0 is free
};

/// The value of a slot whose long bytes, if it has any, begin at `tail`.
inline value_view view_of(const slot& s, const char* tail) noexcept {
  switch (s.tag) {
  case slot_tag::null:
    return {};
  case slot_tag::boolean:
    return s.integer != 0;
  case slot_tag::integer:
    return s.integer;
  case slot_tag::real:
    return s.real;
  case slot_tag::short_text:
    return std::string_view(s.text(), s.size8);
  case slot_tag::text:
    return std::string_view(tail + s.offset, s.size);
  case slot_tag::array:
  case slot_tag::object:
    return decode_value({tail + s.offset, s.size});
  }
  return {};
}

/// The value of one slot of a block. No check of the index.
inline value_view view_of(const record_block& block, std::size_t slot) noexcept {
  return view_of(block.slots()[slot], block.tail());
}

/// The object of the fields outside the schema; null if there are none.
inline value_view extra_of(const record_block& block) noexcept {
  auto schema_slots = block.layout->size();
  return block.slot_count > schema_slots ? view_of(block, schema_slots) : value_view();
}

inline value_view key_of(const record_block& block) noexcept {
  return view_of(block, block.layout->key_slot());
}

} // namespace holdfast::detail
