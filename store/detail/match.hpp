#pragma once

#include <holdfast/runtime/result.hpp>
#include <holdfast/store/detail/record_layout.hpp>
#include <holdfast/store/detail/text_finder.hpp>
#include <holdfast/store/filter.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace holdfast::detail {

/// Whether values of these kinds have an order among each other; both numbers are one family.
constexpr bool same_family(value_kind a, value_kind b) noexcept {
  auto family = [](value_kind k) { return k == value_kind::real ? value_kind::integer : k; };
  return family(a) == family(b);
}

/// Where a value stands in a record: in a slot, or behind a path into the array or object there.
struct bound_field {
  std::uint16_t slot = 0;
  std::string_view path; ///< names and positions between dots; empty: the slot's own value
};

/// The value behind a path, or null. O(members on the way).
value_view descend(value_view from, std::string_view path) noexcept;

/// The value of a slot, or null in a record that an older, shorter layout wrote.
inline value_view field_of(const record_block& block, std::size_t slot) noexcept {
  return slot < block.layout->size() ? view_of(block, slot) : value_view{};
}
inline value_view field_of(const record_block& block, const bound_field& at) noexcept {
  auto x = field_of(block, at.slot);
  return at.path.empty() ? x : descend(x, at.path);
}

/// The place of a field or path, as a view into `name`. `invalid_argument` naming bucket and field
/// if there is no such field, or if it has no members.
result<bound_field> find_field(const record_layout& layout, std::string_view name);

/// A part of a filter with its field found and its operands checked: a comparison, or a conjunction
/// or disjunction of the nodes behind it.
struct bound_node {
  filter::kind op = filter::kind::all_of;
  bool negated = false;
  bound_field field = {};
  std::uint32_t end = 0;               ///< the index behind the node's last descendant
  std::span<const value> operands;     ///< of the filter, or converted
  const filter* origin = nullptr;      ///< for texts
  const text_finder* finder = nullptr; ///< of `contains` with a text

  bool is_leaf() const noexcept { return op > filter::kind::any_of; }
};

/// Whether a comparison holds for the value of its field. Allocates nothing.
bool holds(const bound_node& test, value_view x) noexcept;

/// A filter whose names are slots. Refers to the filter, which must outlive it and stay where it
/// is. Immutable once bound; matching is thread-safe and allocates nothing.
class matcher {
public:
  /// Matches every record.
  matcher() = default;
  matcher(matcher&&) noexcept = default;
  matcher& operator=(matcher&&) noexcept = default;

  /// Finds the fields and checks the operands. `invalid_argument` names bucket, field and value.
  static result<matcher> bind(const filter& which, const record_layout& layout);

  bool is_everything() const noexcept { return nodes_.empty(); }
  bool operator()(const record_block& block) const noexcept {
    return nodes_.empty() || eval(0, block);
  }

  /// In prefix order; empty for the filter that matches everything.
  std::span<const bound_node> nodes() const noexcept { return nodes_; }
  /// A comparison of a field by `eq`, with what is no array or object, that every match passes;
  /// null if there is none.
  const bound_node* equality() const noexcept;
  /// Leaves out terms of the top conjunction that are known to hold, or the only term.
  /// `terms` are indexes into `nodes()`, ascending.
  void drop(std::span<const std::uint32_t> terms);
  /// What it checks, as text; empty if it matches everything.
  std::string to_string() const;

private:
  result<void> add(const filter& which, const record_layout& layout, unsigned depth);
  result<bound_node> bind_leaf(const filter& which, const record_layout& layout);
  result<void> convert_dates(bound_node& leaf, const record_layout& layout);
  bool eval(std::size_t at, const record_block& block) const noexcept;

  std::vector<bound_node> nodes_;
  std::size_t operand_count_ = 0; ///< of all nodes
  /// Operands in the form in which they are stored: dates that were given as text.
  std::vector<std::unique_ptr<std::vector<value>>> converted_;
  std::vector<std::unique_ptr<text_finder>> finders_;
};

} // namespace holdfast::detail
