#include <holdfast/store/detail/query_upkeep.hpp>

#include <holdfast/runtime/fault.hpp>
#include <holdfast/store/detail/execute.hpp>
#include <holdfast/store/detail/query_listing.hpp>
#include <holdfast/store/detail/query_tally.hpp>
#include <holdfast/store/detail/query_window.hpp>

#include <algorithm>

namespace holdfast::detail {

std::unique_ptr<query_upkeep> query_upkeep::of(const declared_query& what, query_basis basis,
                                               const std::vector<query_reads>& reads,
                                               const result<query_value>& now) {
  const auto ends = std::exchange(basis.ends, std::nullopt);
  const auto at = basis.now;
  if (!now || !ends || !what.group_by.empty() || reads.size() != 1)
    return nullptr;
  auto made = kind_of(what, std::move(basis), reads, *now);
  if (!made)
    return nullptr;
  for (auto& each : *ends)
    made->ends_.emplace_hint(made->ends_.end(), end_of(*each.block()),
                             made->keep_of(*each.block()));
  made->advanced_ = at;
  made->over_->follows_deadlines = true;
  return made;
}

std::unique_ptr<query_upkeep> query_upkeep::kind_of(const declared_query& what, query_basis basis,
                                                    const std::vector<query_reads>& reads,
                                                    const query_value& now) {
  const auto& read = reads[0];
  if (read.set.queries().size() != 1 || read.set.has_everything() || !read.keys.empty())
    return nullptr;
  const auto& over = read.set.queries()[0];
  if (!over->bound(read.schema->layout()))
    return nullptr;
  if (basis.first)
    return query_window::of(std::move(basis), *read.schema, over, now);
  if (is_cut(basis.what))
    return nullptr;
  if (what.aggregates.empty())
    return query_listing::of(basis.what, *read.schema, over, now);
  if (what.aggregates.size() == 1)
    return query_tally::of(what.aggregates[0], std::move(basis), read.schema->layout(), over, now);
  return nullptr;
}

bool query_upkeep::take(const place& at, const record_block* before, const record_block* after) {
  if (at <= taken_)
    return true;
  if (is_torn_)
    return lacks(run_cause::fault);
  const auto& which = *over_->which;
  const auto counted = [&](const record_block* b) {
    return b && !expired(*b, advanced_) && which(*b) ? b : nullptr;
  };
  const auto *was = counted(before), *is = counted(after);
  ends next; // made before anything is taken in, for that may throw
  if (is && is->expires_at != 0)
    next.emplace(end_of(*is), keep_of(*is));
  const std::size_t gone = was && ends_.contains(end_of(*was)) ? 1 : 0;
  if (ends_.size() + next.size() > query_basis::most_ends + gone)
    return lacks(run_cause::deadlines);
  if (!take_matching(was, is))
    return false;
  if (bug_point("queries.taken_twice") && !take_matching(was, is))
    return false;
  if (was && was->expires_at != 0)
    ends_.erase(end_of(*was));
  if (!next.empty()) {
    ends_.erase(next.begin()->first); // of a record that stood in this row, and left unseen
    if (keeps(*is))
      ends_.merge(next);
  }
  taken_ = at;
  return true;
}

bool query_upkeep::advance_to(std::int64_t now) {
  if (std::exchange(is_torn_, true))
    return lacks(run_cause::fault);
  while (has_ended_by(now)) {
    const auto gone = ends_.extract(ends_.begin());
    if (!bug_point("queries.left_ended") && !take_end(gone.mapped()))
      return false;
  }
  advanced_ = std::max(advanced_, now);
  is_torn_ = false;
  return true;
}

} // namespace holdfast::detail
