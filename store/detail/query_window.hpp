#pragma once

#include <holdfast/store/detail/execute_order.hpp>
#include <holdfast/store/detail/projection.hpp>
#include <holdfast/store/detail/query_upkeep.hpp>
#include <holdfast/store/query_value.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace holdfast::detail {

/// A list that offset and limit cut out of an order, whatever the order. Kept are the first records
/// of the order: those in front of the list, its own, and some to spare that take the places of
/// those that leave. A change behind them is none; one among them is found by binary search and
/// costs what it shifts; a list that it shows in is made anew, O(limit).
///
/// Invariants
///   (1) kept are, in order, all records that match and do not stand behind the end;
///   (2) with no end, all that match: then there is nothing more that could come in.
/// So the list is known as long as it has an end only behind its own records. When too many are
/// kept, those furthest behind are let go of and the end comes nearer. A run is needed when the
/// spare ones are used up: after as many records have left as there were of these.
class query_window final : public query_upkeep {
public:
  /// `basis` has the first records. Null if what the run gave is no list.
  static std::unique_ptr<query_upkeep> of(query_basis basis, const compiled_schema& schema,
                                          std::shared_ptr<read_set::query_read> over,
                                          const query_value& now);

  query_window(query_basis basis, std::shared_ptr<read_set::query_read> over, query_value now);

  std::optional<bool> moved() const override;
  std::optional<query_value> now() override;
  bool narrow() override;

private:
  bool take_matching(const record_block* before, const record_block* after) override;
  bool keeps(const record_block& b) const override { return is_kept(b); }
  bool is_kept(const record_block& b) const;
  std::size_t place_of(const record_block& b) const;
  void replace(std::size_t from, const record_block& by);
  void insert(const record_block& b);
  void drop_last() noexcept;
  void shows(std::size_t first, std::size_t last) noexcept;
  query_list list() const;

  query what_;                           ///< for its order and fields
  std::uint64_t needed_, wanted_, most_; ///< that must be kept, after a run, and at most
  order_spec order_;
  projection fields_;
  records kept_;
  record end_; ///< null: there is none
  bool narrowed_ = false;
  bool moved_ = false;
  query_value newest_;
};

} // namespace holdfast::detail
