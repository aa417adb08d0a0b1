#pragma once

#include <holdfast/store/detail/execute_order.hpp>
#include <holdfast/store/detail/projection.hpp>
#include <holdfast/store/detail/query_upkeep.hpp>
#include <holdfast/store/detail/validation_rules.hpp>
#include <holdfast/store/query_value.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace holdfast::detail {

/// The list of all records of a filter in an order. A change is found by binary search and costs
/// what it shifts, where a run reads and sorts all of it and takes a reference of each record.
///
/// What was given is immutable. So the changes are kept as *edits*, and a new list is made from an
/// older one that nobody holds any more, by the edits that it lacks: of long lists a few are kept
/// for that. In the stead of none, the newest is copied, O(n).
class query_listing final : public query_upkeep {
public:
  /// Null if what the run gave is no list.
  static std::unique_ptr<query_upkeep> of(const query& what, const compiled_schema& schema,
                                          std::shared_ptr<read_set::query_read> over,
                                          const query_value& now);

  query_listing(const query& what, std::shared_ptr<read_set::query_read> over, query_value now);

  std::optional<bool> moved() const override;
  std::optional<query_value> now() override;

private:
  /// From a record to its next version, in a list that both are in or one of them.
  struct edit {
    record before, after;
  };
  struct version {
    std::shared_ptr<held_result<query_list>> list;
    std::uint64_t edits = 0; ///< how many of those ever made it has
  };

  bool take_matching(const record_block* before, const record_block* after) override;
  bool looks_same(const record& before, const record& after) const;
  bool stands_same(const record& before, const record& after) const;
  bool apply(const edit& e, query_list& to) const;
  bool replace(std::size_t at, const record_block& by, query_list& in) const;
  std::size_t place_of(const record_block& b, const query_list& in) const;
  version unused_version();
  void keep(version v) noexcept;
  const query_list& newest() const { return newest_.as<query_list>(); }
  std::uint64_t made() const noexcept { return first_ + edits_.size(); }

  query what_; ///< for its order and fields
  order_spec order_;
  projection fields_;
  std::deque<edit> edits_;
  std::uint64_t first_ = 0; ///< the number of the first of these
  query_value newest_;
  std::uint64_t told_ = 0; ///< edits that it has
  std::vector<version> versions_;
};

} // namespace holdfast::detail
