#pragma once

#include <holdfast/runtime/error.hpp>
#include <holdfast/store/detail/record_layout.hpp>
#include <holdfast/store/record_limits.hpp>
#include <holdfast/store/value_view.hpp>

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

class compiled_schema;

/// One name with a look at its value, as in `users.insert({{"name", "Ann"}, {"age", 30}})`. Refers
/// to what it was made from; a draft copies it.
struct field_input {
  std::string_view name;
  value_view content;
};

/// The input of a write, owned: what a pending operation carries to its bucket.
///
/// Names are resolved to slots and values copied into one buffer, in the form the record will have;
/// up to about 500 bytes of it live in the draft itself, so that an ordinary write allocates
/// nothing. A field that is set twice has the last value. Nothing is refused here: what is wrong
/// with the input is found, all at once, when the bucket checks the draft. Of names outside the
/// schema it takes `most_extra`, twice what a record may have: an update may remove as many as it
/// adds. Refers to the schema, which must outlive it. Not thread-safe.
class draft {
public:
  explicit draft(const compiled_schema& schema);
  draft(const compiled_schema& schema, std::span<const field_input> fields);
  draft(const compiled_schema& schema, std::initializer_list<field_input> fields)
      : draft(schema, std::span(fields.begin(), fields.size())) {}
  draft(const compiled_schema& schema, const object& fields);
  /// What was moved from may only be assigned to or destroyed.
  draft(draft&& other) noexcept;
  draft& operator=(draft&& other) noexcept;
  ~draft() = default;

  /// Sets a field by name; names that the schema does not have are fields outside of it. Null says
  /// that the field is to be null: an insert then takes no default, an update removes the value.
  /// Throws std::bad_alloc and then has changed nothing.
  void set(std::string_view name, value_view v);
  /// Sets a field of the schema by its position there. No check of the position.
  void set(std::size_t slot, value_view v);
  void set_null(std::size_t slot) { set(slot, value_view()); }

  /// The same input for another schema of the bucket. For its own, a copy: O(bytes).
  draft rebound(const compiled_schema& to) const;

  const compiled_schema& schema() const noexcept { return *schema_; }
  /// Whether a field was set, be it to null.
  bool given(std::size_t slot) const noexcept {
    return slots()[slot].tag != detail::slot_tag::null || slots()[slot].size8 == given_null;
  }
  /// The value of a field of the schema, in stored form; null if it was not set.
  value_view field(std::size_t slot) const noexcept { return view_of(slots()[slot], tail()); }
  value_view key() const noexcept;

  /// For validation and building. The slots are those of the record to be; `size8` of a null slot
  /// tells absent from given as null.
  static constexpr std::uint8_t given_null = 1;
  const detail::slot* slots() const noexcept {
    return reinterpret_cast<const detail::slot*>(data_);
  }
  const char* tail() const noexcept { return data_ + slots_bytes_; }
  std::size_t tail_size() const noexcept { return tail_size_; }
  /// The fields outside the schema: members in encoded form, and how many.
  std::string_view extra() const noexcept { return extra_; }
  std::size_t extra_count() const noexcept { return extra_count_; }
  value_view extra_members() const noexcept;
  static constexpr std::size_t most_extra = 2 * record_limits{}.fields;
  /// Whether more names outside the schema were given, which it left out: one of the faults.
  bool is_full() const noexcept { return full_; }
  /// Violations that setting already found: values too deep or too large to copy.
  const std::vector<issue>& faults() const noexcept;

  /// Makes the field absent again.
  void unset(std::size_t slot) noexcept;
  /// Sets a text of `size` characters, which the caller writes at once.
  char* set_text(std::size_t slot, std::size_t size);
  /// Makes what was given as null absent, for a record has no other nulls. Names that no record of
  /// the bucket may have stay, to be refused.
  void drop_nulls();
  /// Moves the values together if some were replaced.
  void compact();

private:
  static constexpr std::size_t inline_bytes = 512;

  detail::slot* mutable_slots() noexcept { return reinterpret_cast<detail::slot*>(data_); }
  void forget(detail::slot& s) noexcept;
  char* grow(std::size_t bytes);
  void steal(draft& other) noexcept;
  draft copy() const;
  void set_collection(std::size_t slot, value_view v);
  void set_extra(std::string_view name, value_view v);
  bool fits(std::string_view name, std::size_t bytes);
  std::size_t measure(std::string_view name, value_view v);
  void fault(std::string_view name, std::string_view code, const std::string& what);

  const compiled_schema* schema_;
  std::uint32_t slots_bytes_;
  std::uint32_t tail_size_ = 0;
  std::uint32_t capacity_ = inline_bytes; ///< of slots and tail
  std::uint32_t extra_count_ = 0;
  bool loose_ = false;      ///< the tail has bytes that no slot refers to
  bool null_slots_ = false; ///< some field may be given as null
  bool null_extra_ = false; ///< the same outside the schema
  bool full_ = false;
  char* data_ = inline_;
  std::unique_ptr<char[]> heap_;
  std::unique_ptr<std::vector<issue>> faults_;
  std::string extra_ = std::string(4, '\0'); ///< an object's body; its count is kept up to date
  alignas(16) char inline_[inline_bytes];
};

} // namespace holdfast
