#include <holdfast/store/detail/transaction_state.hpp>

#include <holdfast/store/detail/store_state.hpp>
#include <holdfast/store/detail/validation_check.hpp>

#include <algorithm>

namespace holdfast::detail {

transaction_state::transaction_state(commit_lines& lines, runtime& rt, const store_state* in,
                                     const time_limit& until)
    : lines_{lines}, runtime_{rt}, in_{in}, snapshot_{lines, rt.clock()}, until_{&until} {}

transaction_state::transaction_state(commit_lines& lines, runtime& rt, const store_state* in,
                                     const snapshot_pair& at, const read_filters& only)
    : lines_{lines}, runtime_{rt}, in_{in}, snapshot_{at}, only_{&only} {}

const filter* transaction_state::visible_of(std::string_view bucket) const {
  if (!only_)
    return nullptr;
  auto found = only_->find(bucket);
  return found == only_->end() ? nullptr : &found->second;
}

ref<transaction_part> transaction_state::part_of(ref<bucket_core> core) {
  auto found = std::ranges::find(parts_, core.get(), [](auto& p) { return &p->core(); });
  if (found != parts_.end())
    return *found;
  auto seq = snapshot_.seq(core->line().kind());
  parts_.push_back(make_ref<transaction_part>(*this, std::move(core), seq));
  return parts_.back();
}

result<ref<transaction_part>> transaction_state::part(std::string_view name) {
  if (!in_)
    return fail(errc::not_found, "transaction: no bucket is named " + shown(name),
                {.bucket = std::string{name}});
  auto found = in_->find(name);
  // One that is being dropped is closed before it is gone from the store.
  if (only_reads() && (!found || !(*found)->is_open()))
    missing_.emplace_back(name);
  if (!found)
    return fail(std::move(found.error()));
  return part_of(std::move(*found));
}

std::optional<error> transaction_state::lateness() {
  late_ = late_ || (until_ && until_->passed());
  return late_ ? std::optional{too_late(*until_)} : std::nullopt;
}

result<std::vector<transaction_state::referrer>>
transaction_state::referrers(bucket_core& b) const {
  std::vector<referrer> out;
  if (!b.links()) [[likely]]
    return out;
  const turn_guard mine{b.turn(), *until_}; // with it, what it is linked with is there
  if (!mine)
    return fail(too_late(*until_));
  if (auto* links = b.links())
    for (auto& by : links->incoming)
      out.push_back({ref<bucket_core>{by.source}, by.slot, by.what});
  return out;
}

transaction_state::savepoint transaction_state::mark() const {
  savepoint out;
  out.places.reserve(parts_.size());
  for (auto& p : parts_)
    out.places.push_back(p->mark());
  return out;
}

void transaction_state::rollback(const savepoint& to) noexcept {
  for (std::size_t i = 0; i < parts_.size(); ++i)
    parts_[i]->rollback(i < to.places.size() ? to.places[i] : transaction_part::place{});
}

void transaction_state::end() noexcept {
  for (auto& p : parts_)
    p->end();
  parts_.clear();
}

} // namespace holdfast::detail
