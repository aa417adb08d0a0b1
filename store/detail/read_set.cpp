#include <holdfast/store/detail/read_set.hpp>

#include <limits>

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

void read_set::add_query(const query& q, part used) {
  auto read = std::make_shared<query_read>();
  read->what = query{q.which()};
  read->used = used;
  queries_.push_back(std::move(read));
}

void read_set::add_query(const reader& from, const query& q, const record_block& last,
                         bool inserted) {
  auto read = std::make_shared<query_read>();
  read->what = q;
  auto order = bind_order(from, read->what);
  if (!order)
    return; // then nothing was read either
  read->order = std::move(*order);
  // Whatever others insert comes before what this transaction inserts.
  position at{{}, inserted ? std::numeric_limits<std::uint64_t>::max() : last.row};
  for (auto& term : read->order.terms)
    at.at.push_back(term.key(last).materialize());
  read->last = std::move(at);
  queries_.push_back(std::move(read));
}

const matcher* read_set::query_read::bound(const record_layout& layout) {
  if (!which) {
    auto bound = matcher::bind(what.which(), layout);
    if (!bound)
      return nullptr;
    which.emplace(std::move(*bound));
  }
  return &*which;
}

/// Whether the query's result depends on this version being there.
bool read_set::query_read::counts(const record_block* block) const {
  if (!block || !(*which)(*block))
    return false;
  if (!last)
    return true;
  const item_order before{order};
  return !before(before.item(*last), before.item(*block));
}

bool read_set::query_read::touched_by(const record_layout& layout, const record_block* before,
                                      const record_block* after) {
  if (!bound(layout))
    return false;
  const bool was = counts(before), is = counts(after);
  return used == part::number ? was != is : was || is;
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
