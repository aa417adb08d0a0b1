// The end of a commit over both lines: see commit_scope.
#include <holdfast/store/detail/commit_scope.hpp>

#include <holdfast/store/detail/read_key.hpp>

#include <algorithm>
#include <utility>

namespace holdfast::detail {

/// Takes the buckets in memory out of those with edits, if there are others.
void commit_scope::split_lines() {
  const auto durable = [](bucket_core* b) { return b->durable(); };
  others_.push_back(first_);
  // Not that of std::ranges: clang 14 cannot compile it.
  const auto memory = std::stable_partition(others_.begin(), others_.end(), durable);
  if (memory != others_.begin() && memory != others_.end())
    in_memory_.assign(memory, others_.end());
  others_.resize(others_.size() - in_memory_.size());
  first_ = others_.back();
  others_.pop_back();
}

/// Nothing may follow a commit of which it is not known whether it stands.
result<void> commit_scope::check_doubts() const {
  const auto ask = [](const bucket_core& b) -> result<void> {
    if (auto& doubt = b.doubt()) [[unlikely]]
      return fail(doubt->at({.bucket = b.name()}));
    return {};
  };
  auto known = ask(*first_);
  for (auto at = others_.begin(); known && at != others_.end(); ++at)
    known = ask(**at);
  return known;
}

void commit_scope::give_turns(line_kind of) noexcept {
  for (auto* b : members_)
    if (b->line().kind() == of)
      b->turn().give();
}

void commit_scope::seal_in_memory(sequence seq) noexcept {
  for (auto* b : in_memory_)
    b->stamp_sealed(seq);
}

void commit_scope::settle_persistent() noexcept {
  first_->after_seal();
  for (auto* b : others_)
    b->after_seal();
  give_turns(line_kind::durable);
}

void commit_scope::settle_in_memory() noexcept {
  for (auto* b : in_memory_)
    b->after_seal();
  state_ = state::ended;
  give_turns(line_kind::memory);
}

void commit_scope::rollback_in_memory() noexcept {
  for (auto* b : in_memory_)
    b->rollback();
  state_ = state::ended;
  give_turns(line_kind::memory);
}

void commit_scope::repeat_in_memory(const commit& what) {
  for (auto& one : what.changes) {
    const auto in =
        std::ranges::find(members_, one.identity(), [](auto* b) { return b->topics().get(); });
    if (in == members_.end())
      continue; // a persistent one
    auto& b = **in;
    auto* old = one.before ? b.find_head(key_of(key_of(*one.before.block()))) : nullptr;
    if (one.before && one.after)
      replace(b, *old, *one.after.block());
    else if (one.before)
      erase_one(b, *old, one.why);
    else
      insert(b, *one.after.block());
  }
  in_memory_.swap(others_);
  if (auto* b = std::exchange(first_, nullptr))
    in_memory_.push_back(b);
  for (auto* b : in_memory_)
    b->prepare_seal();
}

} // namespace holdfast::detail
