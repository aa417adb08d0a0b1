#pragma once

#include <holdfast/store/detail/order_tree.hpp>
#include <holdfast/store/detail/record_block.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace holdfast {
class compiled_schema;
}

namespace holdfast::detail {

/// One index, over one slot or, if ordered, several. Nulls are entries of ordered indexes only.
struct index_spec {
  index_type type = index_type::ordered;
  std::uint32_t slot_number = 0;
  index_kind kind = index_kind::text; ///< of the first slot
  std::vector<std::uint32_t> more_slots = {};

  std::size_t size() const noexcept { return 1 + more_slots.size(); }
};

struct bucket_layout {
  std::uint32_t key_slot = 0; ///< holds a text or an integer in every record
  std::vector<index_spec> indexes;
  /// Tells buckets of one name apart that come one after the other.
  std::uint64_t identity = 0;
};

/// Of a bucket with that definition; `identity` as above.
bucket_layout layout_of(const compiled_schema& schema, std::uint64_t identity);

/// What a commit made of a bucket, besides the records: versions form a list as records do. Behind
/// it stand the roots of the ordered indexes, then how many values each unique one holds.
struct bucket_root {
  std::atomic<std::uint64_t> birth;
  std::uint64_t death; ///< the writer's, as `next`
  bucket_root* next;
  std::atomic<bucket_root*> prev;
  std::uint64_t count;     ///< live records
  std::uint64_t row_bound; ///< one more than the newest row
  order_node* deadlines;   ///< of the records that have one
  order_node** trees() noexcept { return reinterpret_cast<order_node**>(this + 1); }
  order_node* const* trees() const noexcept {
    return reinterpret_cast<order_node* const*>(this + 1);
  }
  std::uint64_t* uniques(std::size_t trees_before) noexcept {
    return reinterpret_cast<std::uint64_t*>(trees() + trees_before);
  }
  const std::uint64_t* uniques(std::size_t trees_before) const noexcept {
    return reinterpret_cast<const std::uint64_t*>(trees() + trees_before);
  }
};

inline bool key_is(const record_block& b, std::uint32_t slot_number,
                   std::string_view key) noexcept {
  return b.bytes_of(b.slots()[slot_number]) == key;
}
inline bool key_is(const record_block& b, std::uint32_t slot_number, std::int64_t key) noexcept {
  return b.slots()[slot_number].integer == key;
}

} // namespace holdfast::detail
