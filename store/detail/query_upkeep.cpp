#include <holdfast/store/detail/query_upkeep.hpp>

#include <holdfast/store/detail/query_listing.hpp>
#include <holdfast/store/detail/query_tally.hpp>

namespace holdfast::detail {

namespace {

/// Whether the query takes all records of its filter.
bool takes_all(const declared_query& what) {
  return what.group_by.empty() && what.what.offset() == 0 &&
         what.what.limit() == query::unlimited && what.offset_parameter.empty() &&
         what.limit_parameter.empty();
}

} // namespace

std::unique_ptr<query_upkeep> query_upkeep::of(const declared_query& what,
                                               const std::vector<query_reads>& reads,
                                               const result<query_value>& now) {
  if (!now || !takes_all(what) || reads.size() != 1)
    return nullptr;
  const auto& read = reads[0];
  if (read.may_expire || read.set.queries().size() != 1 || read.set.has_everything() ||
      !read.keys.empty())
    return nullptr;
  const auto& over = read.set.queries()[0];
  if (!over->bound(read.schema->layout()))
    return nullptr;
  if (what.aggregates.empty())
    return query_listing::of(what.what, *read.schema, over, *now);
  if (what.aggregates.size() == 1)
    return query_tally::of(what.aggregates[0], read.schema->layout(), over, *now);
  return nullptr;
}

bool query_upkeep::take(const place& at, const record_block* before, const record_block* after) {
  if (at <= taken_)
    return true;
  if ((before && before->expires_at != 0) || (after && after->expires_at != 0))
    return false;
  const auto& which = *over_->which;
  const auto matching = [&](const record_block* b) { return b && which(*b) ? b : nullptr; };
  if (!take_matching(matching(before), matching(after)))
    return false;
  taken_ = at;
  return true;
}

} // namespace holdfast::detail
