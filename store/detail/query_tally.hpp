#pragma once

#include <holdfast/store/detail/query_upkeep.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace holdfast::detail {

/// One number over the records of a filter: their count, the sum or average of a field, its least
/// or greatest value. A change is O(1), where a run costs O(records) or O(log records).
class query_tally final : public query_upkeep {
public:
  /// Null if changes of records are not enough to know the number.
  static std::unique_ptr<query_upkeep> of(const aggregate& what, query_basis basis,
                                          const record_layout& layout,
                                          std::shared_ptr<read_set::query_read> over,
                                          const query_value& now);

  query_tally(aggregate::function what, std::shared_ptr<read_set::query_read> over,
              std::uint16_t slot, const value& now, adder numbers)
      : query_upkeep{std::move(over)}, what_{what}, slot_{slot}, now_{now}, numbers_{std::move(
                                                                                numbers)} {}

  std::optional<bool> moved() const override { return std::nullopt; }
  std::optional<query_value> now() override;

private:
  bool take_matching(const record_block* before, const record_block* after) override;
  ending keep_of(const record_block& b) const override;
  bool take_end(const ending& e) override;
  bool take_change(const std::optional<value_view>& before, const std::optional<value_view>& after);
  bool take_number(value_view was, value_view is);
  bool take_extreme(value_view was, value_view is);

  aggregate::function what_;
  std::uint16_t slot_; ///< of the field; unused for a count
  value now_;
  adder numbers_; ///< of a sum or an average, which follows from them when it is asked for
};

} // namespace holdfast::detail
