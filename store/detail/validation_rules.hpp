#pragma once

#include <holdfast/runtime/error.hpp>
#include <holdfast/store/detail/index_key.hpp>
#include <holdfast/store/detail/record_layout.hpp>
#include <holdfast/store/record_limits.hpp>
#include <holdfast/store/schema.hpp>

#include <memory>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace holdfast::detail {

/// What the format allows and no definition may exceed; what a store allows its records may be
/// less.
struct format_limits {
  record_limits record{};
  std::size_t max_index_fields = holdfast::max_index_fields;
};
inline constexpr format_limits limits{};
static_assert(limits.record.depth == default_max_depth);

/// The rules of one field, ready to be checked. `options` are those of the compiled definition.
struct field_rule {
  const field_options* options = nullptr;
  std::string_view name;
  field_type type = field_type::string;
  bool required = false; ///< also set for the key
  bool fixed = false;    ///< the key or generated: no update changes it
  text_format format = text_format::any;
  std::uint32_t min_length = 0;
  std::uint32_t max_length = ~std::uint32_t{0};
  std::size_t max_bytes = limits.record.value_bytes; ///< lower for the key
  bool has_length = false;
  bool has_bounds = false;
  value_view min; ///< null: no bound. Dates are in milliseconds
  value_view max;
  std::vector<value> allowed;              ///< in stored form
  std::vector<value_view> one_of;          ///< of `allowed`; empty: any
  value default_value;                     ///< in stored form
  std::vector<field_rule> properties;      ///< of an object's members
  std::shared_ptr<const field_rule> items; ///< of an array's items; nameless
  bool nested = false;                     ///< has properties or items
  bool closed = false;                     ///< an object has no other members
  bool converts = false;  ///< something within is stored in another form than it may be given in
  bool validates = false; ///< it or something within has a check of the user's own
  std::shared_ptr<const re2::RE2> pattern;
};

/// One index, as the bucket builds it.
struct index_rule {
  std::string name; ///< of the field, or `(a, b)` of several
  std::size_t slot = 0;
  index_type type = index_type::ordered;
  std::vector<std::size_t> more = {}; ///< slots of further fields, of an ordered index
};

} // namespace holdfast::detail

namespace holdfast {

/// A definition that was found consistent, prepared for the write path. Immutable; shared by
/// threads.
class compiled_schema {
public:
  compiled_schema(const compiled_schema&) = delete;
  compiled_schema& operator=(const compiled_schema&) = delete;

  const schema& definition() const noexcept { return definition_; }
  const std::string& bucket() const noexcept { return definition_.name(); }
  const detail::record_layout& layout() const noexcept { return *layout_; }
  /// For the pool: record blocks point to the layout and may outlive the schema.
  const std::shared_ptr<const detail::record_layout>& shared_layout() const noexcept {
    return layout_;
  }
  std::size_t key_slot() const noexcept { return layout_->key_slot(); }
  const std::vector<detail::field_rule>& rules() const noexcept { return rules_; }
  /// Unique fields but the key in schema order, then the declared indexes in theirs, then those
  /// that references need.
  const std::vector<detail::index_rule>& indexes() const noexcept { return indexes_; }
  /// Whether a single field has an index of its own that finds its values.
  bool has_index_over(std::size_t slot) const noexcept {
    for (auto& index : indexes_)
      if (index.slot == slot && index.more.empty() && index.type != detail::index_type::inverted)
        return true;
    return false;
  }
  /// The slots that an insert may have to fill, in schema order.
  const std::vector<std::size_t>& filled_slots() const noexcept { return filled_; }
  /// The slots whose nested values may have to be converted.
  const std::vector<std::size_t>& converted_slots() const noexcept { return converted_; }
  /// Whether the user's own code looks at every write.
  bool has_validators() const noexcept { return has_validators_; }
  const record_limits& limits() const noexcept { return limits_; }

private:
  friend result<std::shared_ptr<const compiled_schema>> compile(const schema& definition,
                                                                const record_limits& allowed);
  compiled_schema(const schema& definition, const record_limits& allowed)
      : definition_(definition), limits_(allowed) {}

  schema definition_;
  std::shared_ptr<const detail::record_layout> layout_;
  std::vector<detail::field_rule> rules_;
  std::vector<detail::index_rule> indexes_;
  std::vector<std::size_t> filled_;
  std::vector<std::size_t> converted_;
  bool has_validators_ = false;
  record_limits limits_;
};

} // namespace holdfast
