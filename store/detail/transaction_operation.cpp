#include <holdfast/store/detail/transaction_operation.hpp>

#include <algorithm>

namespace holdfast::detail {
namespace {

/// All or none.
bool take_turns(std::span<bucket_core* const> of, const time_limit& until) noexcept {
  for (std::size_t taken = 0; taken < of.size(); ++taken)
    if (!of[taken]->turn().take(until)) {
      while (taken > 0)
        of[--taken]->turn().give();
      return false;
    }
  return true;
}

} // namespace

bool participants::add_written(bucket_core& b, const time_limit& until) {
  add(ref<bucket_core>{&b});
  if (!b.links()) [[likely]]
    return true;
  const turn_guard mine{b.turn(), until}; // with it, what it is linked with is there
  if (!mine)
    return false;
  if (auto* links = b.links()) {
    linked_.emplace_back(&b, b.held_links());
    for (auto* member : links->members)
      add(ref<bucket_core>{member});
  }
  return true;
}

std::span<bucket_core* const> participants::members() {
  if (order_.empty()) {
    std::ranges::sort(all_, {}, [](auto& b) { return b->id(); });
    all_.erase(std::unique(all_.begin(), all_.end()), all_.end());
    for (auto& b : all_)
      order_.push_back(b.get());
  }
  return order_;
}

std::span<bucket_core* const> participants::in_memory() {
  if (in_memory_.empty())
    std::ranges::copy_if(members(), std::back_inserter(in_memory_),
                         [](auto* b) { return !b->durable(); });
  return in_memory_;
}

bool participants::still_linked(std::span<transaction_part* const> written) const {
  auto links_of = [&](bucket_core& b) {
    auto found = std::ranges::find(linked_, &b, [](auto& pair) { return pair.first; });
    return found == linked_.end() ? nullptr : found->second.get();
  };
  return std::ranges::all_of(written,
                             [&](auto* p) { return p->core().links() == links_of(p->core()); });
}

commit_scope* transaction_operation::open(bucket_core& home, participants all,
                                          const time_limit& until) {
  all_ = std::move(all);
  const auto members = all_.members();
  return take_turns(members, until) ? &scope_.emplace(home, members, *this) : nullptr;
}

/// All the memory that is needed when it is settled.
void transaction_operation::prepare_to_wait() {
  auto& home = scope_->home();
  is_awaited = home.durable() && !all_.in_memory().empty();
  if (!is_awaited)
    return;
  doubt_ = std::make_shared<const error>(
      errc::read_only,
      home.name() + ": the disk failed amid a transaction's commit to it and to buckets in memory; "
                    "those take no writes until reopen() has found out whether it stands");
  if (!scope_->is_joint())
    return;
  also_in = &home.lines().memory;
  place_ = std::make_shared<feed_entry>();
  for (auto* b : scope_->in_memory())
    counters_.emplace_back(b, b->made().proposed());
}

sealing transaction_operation::seal() {
  prepare_to_wait();
  auto outcome = scope_->seal();
  if (outcome != sealing::queued || !is_awaited)
    return outcome;
  left_ = true;
  scope_->settle_persistent();
  if (met_.exchange(true))
    finish();
  return outcome;
}

void transaction_operation::close() noexcept {
  if (!left_)
    scope_.reset();
}

void transaction_operation::publish_in_memory() noexcept {
  auto& line = *also_in;
  const auto mine = line.take_seq();
  scope_->seal_in_memory(mine);
  line.publish(mine);
  scope_->home().lines().durable.feed_commit(std::move(entry), seq, std::move(place_), mine);
}

void transaction_operation::settled(const error* failure) noexcept {
  if (failure)
    failure_ = *failure;
  if (!is_awaited)
    return answer();
  if (met_.exchange(true))
    finish();
}

/// On the thread that sealed it or on that which settled it, whichever comes last.
void transaction_operation::finish() noexcept {
  if (!failure_) {
    scope_->settle_in_memory();
  } else {
    doubtful_ = *failure_ == errc::outcome_unknown;
    if (doubtful_)
      for (auto* b : all_.in_memory())
        b->doubt(doubt_);
    scope_->rollback_in_memory();
  }
  answer();
}

void transaction_operation::answer() noexcept {
  complete(failure_ ? result<std::monostate>{fail(*failure_)}
                    : result<std::monostate>{std::monostate{}});
}

void transaction_operation::make_again() {
  const auto members = all_.in_memory();
  for (auto* b : members)
    b->turn().take();
  scope_.emplace(*members.front(), members, *this);
  try {
    for (auto& [b, counter] : counters_)
      if (counter > b->made().counter())
        scope_->count_to(*b, counter);
    scope_->repeat_in_memory(entry->what);
    if (!place_)
      place_ = std::make_shared<feed_entry>();
  } catch (...) {
    scope_.reset();
    throw;
  }
  again_ = true;
}

void transaction_operation::unmake() noexcept {
  if (std::exchange(again_, false))
    scope_.reset();
}

void transaction_operation::known() noexcept {
  if (!doubtful_)
    return;
  for (auto* b : all_.in_memory()) {
    if (!again_)
      b->turn().take();
    b->doubt(nullptr);
    if (!again_)
      b->turn().give();
  }
  if (again_)
    scope_->settle_in_memory();
}

} // namespace holdfast::detail
