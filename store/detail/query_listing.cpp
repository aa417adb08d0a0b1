#include <holdfast/store/detail/query_listing.hpp>

#include <holdfast/store/detail/list_edits.hpp>

#include <algorithm>
#include <atomic>
#include <utility>

namespace holdfast::detail {

namespace {

/// Shorter lists are copied. Of longer ones so many versions are kept: what is told now, what a
/// subscriber compares it with, and one that is free.
constexpr std::size_t least_kept = 64;
constexpr std::size_t most_kept = 3;

/// So many edits cost about what a run does.
std::size_t most_edits(std::size_t items) noexcept { return 8 + items / 64; }

} // namespace

std::unique_ptr<query_upkeep> query_listing::of(const query& what, const compiled_schema& schema,
                                                std::shared_ptr<read_set::query_read> over,
                                                const query_value& now) {
  if (!now.if_a<query_list>())
    return nullptr;
  auto out = std::make_unique<query_listing>(what, std::move(over), now);
  auto order = bind_order(schema.layout(), schema.definition().is_ordered(), out->what_);
  auto fields = projection::bind(out->what_.fields(), schema.layout());
  if (!order || !fields)
    return nullptr;
  out->order_ = std::move(*order);
  out->fields_ = std::move(*fields);
  return out;
}

query_listing::query_listing(const query& what, std::shared_ptr<read_set::query_read> over,
                             query_value now)
    : query_upkeep{std::move(over)}, what_{what}, newest_{std::move(now)} {
  versions_.reserve(most_kept);
}

bool query_listing::take_matching(const record_block* before, const record_block* after) {
  if (!before && !after)
    return true;
  if (made() - told_ >= most_edits(newest().items.size()))
    return lacks(run_cause::bulk);
  edits_.push_back({handle_to(before), handle_to(after)});
  return true;
}

bool query_listing::looks_same(const record& before, const record& after) const {
  return what_.fields().empty() ? same_record(before, after)
                                : fields_.of(*before.block()) == fields_.of(*after.block());
}

/// Whether neither comes before the other.
bool query_listing::stands_same(const record& before, const record& after) const {
  const item_order less{order_};
  const auto a = less.item(*before.block()), b = less.item(*after.block());
  return !less(a, b) && !less(b, a);
}

/// A record may have been changed and changed back: of each the first version and the last count.
/// One that looks the same may stand where it did, though it is ordered by another value, or was
/// erased and inserted again: that depends on its neighbours.
std::optional<bool> query_listing::moved() const {
  struct step {
    std::uint64_t row;
    const edit* what;
  };
  std::vector<step> steps;
  for (auto i = told_; i < made(); ++i) {
    const auto& e = edits_[i - first_];
    steps.push_back({(e.before ? e.before : e.after).block()->row, &e});
  }
  std::ranges::stable_sort(steps, {}, &step::row);
  std::size_t gone = 0, come = 0, shifted = 0;
  for (std::size_t first = 0, next = 0; first < steps.size(); first = next) {
    while (next < steps.size() && steps[next].row == steps[first].row)
      ++next;
    const auto &before = steps[first].what->before, &after = steps[next - 1].what->after;
    if (before && after && !looks_same(before, after))
      return true;
    shifted += before && after && !stands_same(before, after) ? 1 : 0;
    gone += before && !after ? 1 : 0;
    come += after && !before ? 1 : 0;
  }
  if (gone != come)
    return true;
  return gone + shifted == 0 ? std::optional{false} : std::nullopt;
}

std::optional<query_value> query_listing::now() {
  auto next = unused_version();
  if (!next.list)
    next = {std::make_shared<held_result<query_list>>(newest()), told_};
  for (; next.edits < made(); ++next.edits)
    if (!apply(edits_[next.edits - first_], next.list->edit())) {
      lacks(run_cause::fault);
      return std::nullopt;
    }
  newest_ = query_value::share(next.list);
  told_ = made();
  keep(std::move(next));
  return newest_;
}

/// One that nobody else holds, taken out of those that are kept; null if there is none.
query_listing::version query_listing::unused_version() {
  for (auto& v : versions_)
    if (v.list.use_count() == 1) {
      // Who held it before has read it before it let it go.
      std::atomic_thread_fence(std::memory_order_acquire);
      auto out = std::move(v);
      std::swap(v, versions_.back());
      versions_.pop_back();
      return out;
    }
  return {};
}

/// The newest version; forgets those that lack too many edits, and the edits that none lacks.
void query_listing::keep(version v) noexcept {
  const auto items = newest().items.size();
  std::erase_if(versions_, [&](const version& old) {
    return items < least_kept || made() - old.edits > most_edits(items);
  });
  if (versions_.size() == most_kept)
    versions_.erase(versions_.begin());
  if (items >= least_kept)
    versions_.push_back(std::move(v));
  auto least = told_;
  for (const auto& old : versions_)
    least = std::min(least, old.edits);
  for (; first_ < least; ++first_)
    edits_.pop_front();
}

/// Where a record stands, or would.
std::size_t query_listing::place_of(const record_block& b, const query_list& in) const {
  const item_order less{order_};
  const auto item = less.item(b);
  const auto found = std::ranges::partition_point(
      in.items, [&](const record& r) { return less(less.item(*r.block()), item); });
  return static_cast<std::size_t>(found - in.items.begin());
}

/// False if the list is not the one that the edit is of.
bool query_listing::apply(const edit& e, query_list& to) const {
  const auto fields = !what_.fields().empty();
  std::size_t from = 0;
  if (e.before) {
    from = place_of(*e.before.block(), to);
    if (from == to.items.size() || to.items[from].block()->row != e.before.block()->row)
      return false;
    if (e.after)
      return replace(from, *e.after.block(), to);
    to.items.erase(at(to.items, from));
    if (fields)
      to.objects.erase(at(to.objects, from));
    return true;
  }
  from = place_of(*e.after.block(), to);
  if (fields)
    to.objects.insert(at(to.objects, from), fields_.of(*e.after.block()));
  to.items.insert(at(to.items, from), e.after);
  return true;
}

bool query_listing::replace(std::size_t from, const record_block& by, query_list& in) const {
  auto to = place_of(by, in); // as long as the version before stands there, too
  if (to > from)
    --to;
  in.items[from] = handle_to(&by);
  move_item(in.items, from, to);
  if (what_.fields().empty())
    return true;
  in.objects[from] = fields_.of(by);
  move_item(in.objects, from, to);
  return true;
}

} // namespace holdfast::detail
