#pragma once

#include <holdfast/runtime/result.hpp>
#include <holdfast/store/detail/record_layout.hpp>
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

/// A part of a filter with its field found and its operands checked: a comparison, or a conjunction
/// or disjunction of the nodes behind it.
struct bound_node {
  filter::kind op = filter::kind::all_of;
  bool negated = false;
  std::uint16_t slot = 0;
  std::uint32_t end = 0;           ///< the index behind the node's last descendant
  std::span<const value> operands; ///< of the filter, or converted
  const filter* origin = nullptr;  ///< for texts

  bool is_leaf() const noexcept { return op > filter::kind::any_of; }
};

/// Whether a comparison holds for the value of its field. Allocates nothing.
bool holds(const bound_node& test, value_view x) noexcept;

/// The value of a slot, or null in a record that an older, shorter layout wrote.
inline value_view field_of(const record_block& block, std::size_t slot) noexcept {
  return slot < block.layout->size() ? view_of(block, slot) : value_view{};
}

/// The slot of a field; `invalid_argument` naming bucket and field if there is no such field.
result<std::uint16_t> find_field(const record_layout& layout, std::string_view name);

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
  /// Leaves out terms of the top conjunction that are known to hold, or the only term.
  /// `terms` are indexes into `nodes()`, ascending.
  void drop(std::span<const std::uint32_t> terms);
  /// What it checks, as text; empty if it matches everything.
  std::string to_string() const;

private:
  result<void> add(const filter& which, const record_layout& layout, unsigned depth);
  result<bound_node> bind_leaf(const filter& which, const record_layout& layout);
  bool eval(std::size_t at, const record_block& block) const noexcept;

  std::vector<bound_node> nodes_;
  /// Operands in the form in which they are stored: dates that were given as text.
  std::vector<std::unique_ptr<std::vector<value>>> converted_;
};

} // namespace holdfast::detail
