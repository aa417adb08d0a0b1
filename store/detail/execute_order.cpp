#include <holdfast/store/detail/execute_order.hpp>

#include <utility>

namespace holdfast::detail {

namespace {

constexpr std::uint64_t behind_rows = ~std::uint64_t{0};

void clip(std::vector<rank_range>& ranges, std::uint64_t first, std::uint64_t last) {
  for (auto& r : ranges)
    r = {std::max(r.first, first), std::min(r.last, last)};
  std::erase_if(ranges, [](const rank_range& r) { return r.first >= r.last; });
}

} // namespace

void top_items::add(const ordered_item& item) {
  if (needed_ == 0)
    return;
  items_.push_back(item);
  // Twice as many as are needed, so that throwing the rest away costs O(1) per item.
  constexpr std::uint64_t least = 64;
  if (needed_ < items_.max_size() / 2 && items_.size() >= std::max(needed_ * 2, least))
    prune();
}

void top_items::prune() {
  if (items_.size() <= needed_)
    return;
  auto middle = items_.begin() + static_cast<std::ptrdiff_t>(needed_);
  std::nth_element(items_.begin(), middle, items_.end(),
                   [&](const auto& a, const auto& b) { return nearer(a, b); });
  items_.erase(middle, items_.end());
}

std::span<const ordered_item> top_items::sorted() {
  prune();
  std::sort(items_.begin(), items_.end(), order_);
  return items_;
}

index_walk::index_walk(const reader& from, const plan& how, const position* after)
    : from_{from}, how_{how} {
  if (how.parts.empty())
    values_.push_back({0, from.entries(how.walk)});
  else
    values_ = how.parts[0].ranges;
  auto null_count = rank({}, behind_rows);
  nulls_ = values_;
  clip(nulls_, 0, null_count);
  clip(values_, null_count, behind_rows);
  if (after)
    cut(*after);
}

void index_walk::cut(const position& after) {
  value_view at = after.at[how_.walk_term];
  auto behind = rank(at, after.row == behind_rows ? after.row : after.row + 1);
  if (at.is_null()) {
    values_.clear();
    return clip(nulls_, behind, behind_rows);
  }
  if (!descending())
    return clip(values_, behind, behind_rows);
  auto group = values_;
  clip(group, behind, rank(at, behind_rows));
  if (!group.empty())
    first_ = group.front();
  clip(values_, 0, rank(at, 0));
}

namespace {

void skip_ascending(std::vector<rank_range>& ranges, std::uint64_t& count) {
  auto at = ranges.begin();
  for (; at != ranges.end() && at->last - at->first <= count; ++at)
    count -= at->last - at->first;
  if (at != ranges.end())
    at->first += std::exchange(count, 0);
  ranges.erase(ranges.begin(), at);
}

} // namespace

void index_walk::skip(std::uint64_t& count) {
  if (descending())
    skip_descending(count);
  else
    skip_ascending(values_, count);
  if (values_.empty() && !first_)
    skip_ascending(nulls_, count);
}

/// Groups of equal values come from the end, each from its beginning: the walk goes on within one.
void index_walk::skip_descending(std::uint64_t& count) {
  for (; !values_.empty() && values_.back().last - values_.back().first <= count;
       values_.pop_back())
    count -= values_.back().last - values_.back().first;
  if (values_.empty() || count == 0)
    return;
  auto& range = values_.back();
  auto group = group_before(range.last - count);
  group.first = std::max(group.first, range.first);
  from_.each_entry(how_.walk, group.first, group.last, [&](const record_block& block) {
    const auto behind = rank(how_.order.terms[how_.walk_term].key(block), behind_rows);
    group.last = std::min(behind, range.last);
    return false;
  });
  first_ = {group.first + std::exchange(count, 0) - (range.last - group.last), group.last};
  range.last = group.first;
  if (range.first == range.last)
    values_.pop_back();
}

bool index_walk::next(rank_range& out) {
  if (first_) {
    out = *std::exchange(first_, std::nullopt);
    return true;
  }
  if (!values_.empty() && descending())
    return next_descending(out);
  auto& left = values_.empty() ? nulls_ : values_;
  if (left.empty())
    return false;
  out = left.front();
  left.erase(left.begin());
  return true;
}

bool index_walk::next_descending(rank_range& out) {
  auto& range = values_.back();
  out = group_before(range.last);
  out.first = std::max(out.first, range.first);
  range.last = out.first;
  if (range.first == range.last)
    values_.pop_back();
  return true;
}

/// The entries below rank `last` that have the value of the one just below it.
rank_range index_walk::group_before(std::uint64_t last) const {
  rank_range group{last - 1, last};
  from_.each_entry(how_.walk, last - 1, last, [&](const record_block& block) {
    group.first = rank(how_.order.terms[how_.walk_term].key(block), 0);
    return false;
  });
  return group;
}

} // namespace holdfast::detail
