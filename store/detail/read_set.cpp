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
  queries_.push_back(std::make_unique<query_read>());
  queries_.back()->what = query{q.which()};
  queries_.back()->used = used;
}

void read_set::add_query(const reader& from, const query& q, const record_block& last,
                         bool inserted) {
  auto read = std::make_unique<query_read>();
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

/// Whether the query's result depends on this version being there.
bool read_set::counts(const query_read& read, const record_block* block) {
  if (!block || !(*read.which)(*block))
    return false;
  if (!read.last)
    return true;
  const item_order before{read.order};
  return !before(before.item(*read.last), before.item(*block));
}

std::optional<std::string> read_set::touched_by(const record_layout& layout,
                                                const record_block* before,
                                                const record_block* after) {
  if (everything_)
    return "the whole bucket";
  for (auto& each : queries_) {
    auto& read = *each;
    if (!read.which) {
      auto bound = matcher::bind(read.what.which(), layout);
      if (!bound)
        continue; // a query that failed read nothing
      read.which.emplace(std::move(*bound));
    }
    const bool was = counts(read, before), is = counts(read, after);
    if (read.used == part::number ? was != is : was || is)
      return read.what.to_string();
  }
  return std::nullopt;
}

} // namespace holdfast::detail
