#include <holdfast/store/detail/query_upkeep.hpp>

#include <holdfast/runtime/fault.hpp>
#include <holdfast/store/detail/execute.hpp>
#include <holdfast/store/detail/query_listing.hpp>
#include <holdfast/store/detail/query_tally.hpp>
#include <holdfast/store/detail/query_window.hpp>

namespace holdfast::detail {

std::unique_ptr<query_upkeep> query_upkeep::of(const declared_query& what, query_basis basis,
                                               const std::vector<query_reads>& reads,
                                               const result<query_value>& now) {
  if (!now || !what.group_by.empty() || reads.size() != 1)
    return nullptr;
  const auto& read = reads[0];
  if (read.may_expire || read.set.queries().size() != 1 || read.set.has_everything() ||
      !read.keys.empty())
    return nullptr;
  const auto& over = read.set.queries()[0];
  if (!over->bound(read.schema->layout()))
    return nullptr;
  if (basis.first)
    return query_window::of(std::move(basis), *read.schema, over, *now);
  if (is_cut(basis.what))
    return nullptr;
  if (what.aggregates.empty())
    return query_listing::of(basis.what, *read.schema, over, *now);
  if (what.aggregates.size() == 1)
    return query_tally::of(what.aggregates[0], std::move(basis), read.schema->layout(), over, *now);
  return nullptr;
}

bool query_upkeep::take(const place& at, const record_block* before, const record_block* after) {
  if (at <= taken_)
    return true;
  if ((before && before->expires_at != 0) || (after && after->expires_at != 0))
    return lacks(run_cause::deadlines);
  const auto& which = *over_->which;
  const auto matching = [&](const record_block* b) { return b && which(*b) ? b : nullptr; };
  if (!take_matching(matching(before), matching(after)))
    return false;
  if (bug_point("queries.taken_twice") && !take_matching(matching(before), matching(after)))
    return false;
  taken_ = at;
  return true;
}

} // namespace holdfast::detail
