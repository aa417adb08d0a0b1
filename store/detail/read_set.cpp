#include <holdfast/store/detail/read_set.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace holdfast::detail {

void read_set::limit_lookups() noexcept {
  if (found_.size() + absent_.size() <= most_lookups)
    return;
  everything_ = true;
  found_.clear();
  absent_.clear();
}

void read_set::add_found(const record_block& version) {
  if (everything_ || (!found_.empty() && found_.back() == &version))
    return;
  found_.push_back(&version);
  limit_lookups();
}

void read_set::add_absent(value_view key) {
  if (everything_)
    return;
  absent_.push_back(key.materialize());
  limit_lookups();
}

/// Whether the same was read just before: a function may ask for one count again and again.
bool read_set::has_lately(const query& what, const used_fields& used) const {
  constexpr std::size_t looked_at = 4;
  const auto first = queries_.size() - std::min(queries_.size(), looked_at);
  return std::any_of(queries_.begin() + static_cast<std::ptrdiff_t>(first), queries_.end(),
                     [&](auto& q) { return !q->last && q->used == used && q->what == what; });
}

/// Each change that others make is held against each query.
void read_set::limit_queries() noexcept {
  if (queries_.size() <= most_queries)
    return;
  everything_ = true;
  queries_.clear();
}

void read_set::add_query(const query& q, used_fields used) {
  if (everything_)
    return;
  query what{q.which()};
  if (has_lately(what, used))
    return;
  auto read = std::make_shared<query_read>();
  read->what = std::move(what);
  read->used = std::move(used);
  queries_.push_back(std::move(read));
  limit_queries();
}

void read_set::add_query(const reader& from, const query& q, const record_block* last,
                         bool inserted, walk_from end) {
  if (everything_)
    return;
  // Whatever others insert comes before what this transaction inserts.
  const auto row = inserted ? std::numeric_limits<std::uint64_t>::max() : last ? last->row : 0;
  if (last && !queries_.empty() && queries_.back()->last && queries_.back()->from == end &&
      queries_.back()->what == q) {
    auto& before = *queries_.back(); // a walk by pages is one read, which ends further behind
    if (!before.reaches(*last))
      before.end_at(*last, row);
    return;
  }
  auto read = std::make_shared<query_read>();
  read->what = q;
  read->from = end;
  auto order = bind_order(from, read->what);
  if (!order)
    return; // then nothing was read either
  read->order = std::move(*order);
  if (last)
    read->end_at(*last, row);
  queries_.push_back(std::move(read));
  limit_queries();
}

void read_set::query_read::end_at(const record_block& block, std::uint64_t row) {
  position end{{}, row};
  for (auto& term : order.terms)
    end.at.push_back(term.key(block).materialize());
  last = std::move(end);
}

const matcher* read_set::query_read::bound(const record_layout& layout) {
  if (!which) {
    auto bound = matcher::bind(what.which(), layout);
    if (!bound)
      return nullptr;
    bind_mask(layout);
    which.emplace(std::move(*bound));
  }
  return &*which;
}

/// A name that leads to no field gave the query an error, or nothing of any record.
void read_set::query_read::bind_mask(const record_layout& layout) {
  mask_.clear();
  if (!used)
    return;
  for (const auto& name : *used)
    if (auto field = find_field(layout, name))
      mask_.push_back(*field);
}

/// With the first record that ends by itself the time counts, too.
bool read_set::query_read::differ_in_end(const record_block& before,
                                         const record_block& after) const noexcept {
  return follows_deadlines ? before.expires_at != after.expires_at
                           : (before.expires_at == 0) != (after.expires_at == 0);
}

/// Whether the record ends otherwise than before, or a field that was used differs, for one of
/// another kind does, even if it is equal.
bool read_set::query_read::differ(const record_block& before,
                                  const record_block& after) const noexcept {
  if (!used || differ_in_end(before, after))
    return true;
  return std::ranges::any_of(mask_, [&](const bound_field& field) {
    const auto was = field_of(before, field), is = field_of(after, field);
    return was.kind() != is.kind() || was != is;
  });
}

/// Whether the query's result depends on this version being there.
bool read_set::query_read::counts(const record_block* block) const {
  return block && (*which)(*block) && reaches(*block);
}

/// Whether the record does not stand beyond the last that was looked at.
bool read_set::query_read::reaches(const record_block& block) const {
  if (!last)
    return true;
  const item_order before{order};
  return from == walk_from::front ? !before(before.item(*last), before.item(block))
                                  : !before(before.item(block), before.item(*last));
}

bool read_set::query_read::touched_by(const record_layout& layout, const record_block* before,
                                      const record_block* after) {
  if (!bound(layout))
    return false;
  const bool was = counts(before), is = counts(after);
  return was != is || (was && differ(*before, *after));
}

std::optional<std::string> read_set::touched_by(const record_layout& layout,
                                                const record_block* before,
                                                const record_block* after) {
  if (everything_)
    return "the whole bucket";
  for (auto& read : queries_)
    if (read->touched_by(layout, before, after))
      return read->what.to_string();
  return std::nullopt;
}

} // namespace holdfast::detail
