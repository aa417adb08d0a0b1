#include <holdfast/store/detail/query_window.hpp>

#include <holdfast/store/detail/execute.hpp>
#include <holdfast/store/detail/list_edits.hpp>
#include <holdfast/store/detail/validation_rules.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace holdfast::detail {

std::unique_ptr<query_upkeep> query_window::of(query_basis basis, const compiled_schema& schema,
                                               std::shared_ptr<read_set::query_read> over,
                                               const query_value& now) {
  if (!now.if_a<query_list>())
    return nullptr;
  auto out = std::make_unique<query_window>(std::move(basis), std::move(over), now);
  auto order = bind_order(schema.layout(), schema.definition().is_ordered(), out->what_);
  auto fields = projection::bind(out->what_.fields(), schema.layout());
  if (!order || !fields)
    return nullptr;
  out->order_ = std::move(*order);
  out->fields_ = std::move(*fields);
  return out;
}

query_window::query_window(query_basis basis, std::shared_ptr<read_set::query_read> over,
                           query_value now)
    : query_upkeep{std::move(over)}, what_{std::move(basis.what)}, needed_{needed_for(what_)},
      wanted_{basis.wanted()}, most_{capped_sum(wanted_, wanted_ - needed_)},
      kept_{std::move(*basis.first)}, newest_{std::move(now)} {
  if (kept_.size() == wanted_)
    end_ = kept_.back();
}

bool query_window::is_kept(const record_block& b) const {
  const item_order less{order_};
  return !end_ || !less(less.item(*end_.block()), less.item(b));
}

/// Where a record stands, or would.
std::size_t query_window::place_of(const record_block& b) const {
  const item_order less{order_};
  const auto item = less.item(b);
  const auto found = std::ranges::partition_point(
      kept_, [&](const record& r) { return less(less.item(*r.block()), item); });
  return static_cast<std::size_t>(found - kept_.begin());
}

/// A change in these places.
void query_window::shows(std::size_t first, std::size_t last) noexcept {
  moved_ = moved_ || (first < needed_ && last >= what_.offset());
}

bool query_window::take_matching(const record_block* before, const record_block* after) {
  const auto stays = after && is_kept(*after);
  if (!before || !is_kept(*before)) {
    if (stays)
      insert(*after);
    return true;
  }
  const auto from = place_of(*before);
  if (from == kept_.size() || kept_[from].block()->row != before->row)
    return lacks(run_cause::fault);
  if (stays) {
    replace(from, *after);
    return true;
  }
  kept_.erase(at(kept_, from));
  shows(from, std::numeric_limits<std::size_t>::max());
  return true;
}

void query_window::replace(std::size_t from, const record_block& by) {
  auto to = place_of(by); // as long as the version before stands there, too
  if (to > from)
    --to;
  kept_[from] = handle_to(&by);
  move_item(kept_, from, to);
  shows(std::min(from, to), std::max(from, to));
}

void query_window::insert(const record_block& b) {
  const auto to = place_of(b);
  kept_.insert(at(kept_, to), handle_to(&b));
  shows(to, std::numeric_limits<std::size_t>::max());
  if (kept_.size() > most_)
    drop_last();
}

void query_window::drop_last() noexcept {
  const auto last = at(kept_, static_cast<std::size_t>(wanted_));
  std::for_each(last, kept_.end(), [this](const record& r) { forget_end(*r.block()); });
  kept_.erase(last, kept_.end());
  end_ = kept_.back();
  narrowed_ = true;
}

bool query_window::narrow() {
  if (!narrowed_)
    return false;
  over().end_at(*end_.block(), end_.block()->row);
  narrowed_ = false;
  return true;
}

query_list query_window::list() const {
  query_list out{.items = cut_out(kept_, what_.offset(), needed_), .objects = {}};
  if (!what_.fields().empty())
    for (auto& item : out.items)
      out.objects.push_back(fields_.of(*item.block()));
  return out;
}

std::optional<bool> query_window::moved() const {
  return moved_ ? std::nullopt : std::optional{false};
}

std::optional<query_value> query_window::now() {
  if (end_ && kept_.size() < needed_) {
    lacks(run_cause::spare);
    return std::nullopt;
  }
  if (moved_)
    newest_ = query_value::of(list());
  moved_ = false;
  return newest_;
}

} // namespace holdfast::detail
