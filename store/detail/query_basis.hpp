#pragma once

#include <holdfast/store/detail/adder.hpp>
#include <holdfast/store/detail/execute.hpp>
#include <holdfast/store/live_query.hpp>

#include <cstdint>
#include <optional>

namespace holdfast::detail {

/// What a run of a declared query finds beside its value, so that the value can be kept up.
struct query_basis {
  /// Of more records the deadlines are not followed: each costs about 100 bytes. Not an option:
  /// past it the query is run, and gives the same.
  static constexpr std::size_t most_ends = 16'384;

  std::uint64_t spare = 0; ///< asked for: see `store_options::live_list_spare`
  query what = {};         ///< with its parameters filled in
  /// Of a list that offset or limit cut: the first `wanted` records of its order, of which none
  /// behind the last was looked at; or fewer, which are all there are.
  std::optional<records> first = {};
  std::optional<adder> numbers = {}; ///< of a sum or an average
  std::int64_t now = 0;              ///< the time of the run
  /// Those of the records that have deadlines; absent if they are too many.
  std::optional<records> ends = records{};

  /// Those behind the list's end.
  std::uint64_t behind() const noexcept {
    return capped_sum(what.limit() == query::unlimited ? 0 : what.limit(), spare);
  }
  std::uint64_t wanted() const noexcept { return capped_sum(needed_for(what), behind()); }
};

/// Runs a declared query; `basis`, if there is one, is filled in.
result<query_value> run_declared(const declared_query& what, query_context& in, const object& with,
                                 query_basis* basis);

} // namespace holdfast::detail
