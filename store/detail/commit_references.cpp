// What a commit does about records that refer to one another.
#include <holdfast/store/detail/commit_scope.hpp>

#include <holdfast/runtime/fault.hpp>
#include <holdfast/store/detail/execute_stream.hpp>
#include <holdfast/store/detail/read_key.hpp>
#include <holdfast/store/detail/write_errors.hpp>

#include <algorithm>
#include <unordered_set>

namespace holdfast::detail {
namespace {

error dangling(const bucket_core& source, const outgoing_reference& by, const record_block& block) {
  auto& field = source.schema().layout().name(by.slot);
  auto key = view_of(block, by.slot);
  auto why = by.target ? " is no record of " + by.bucket
                       : " refers to a bucket " + by.bucket + " that is not defined";
  return error{errc::broken_reference,
               source.name() + "." + field + ": " + shown(key) + why,
               {source.name(), key_of(block).to_string(), field},
               reference_violation{source.name(), field, by.bucket, key.to_string()}};
}

error referred_to(const bucket_core& target, const incoming_reference& by, value_view key) {
  auto& field = by.source->schema().layout().name(by.slot);
  auto text = key.to_string();
  return error{errc::broken_reference,
               target.name() + ": " + shown(key) + " is referred to by " + by.source->name() + "." +
                   field,
               {target.name(), text, {}},
               reference_violation{by.source->name(), field, target.name(), text}};
}

bool alive(const record_block& block) noexcept {
  return block.death.load(std::memory_order_relaxed) == never;
}
/// Whether it is of the commit that is being made.
bool is_made_here(const record_block& block) noexcept {
  return block.birth.load(std::memory_order_relaxed) == never;
}

} // namespace

/// Works through what was erased; erasing a referrer may add to it. A cycle ends because what is
/// erased is not found again.
result<void> commit_scope::follow_erased() {
  if (bug_point("commit.referrers")) [[unlikely]]
    erased_.clear();
  while (!erased_.empty()) {
    const auto gone = std::move(erased_.back());
    erased_.pop_back();
    if (why_ == cause::transaction && gone.of->find_head(detail::key_of(gone.what.key())))
      continue; // the transaction put another record in its place
    for (auto& by : gone.of->links()->incoming)
      if (auto treated = treat_referrers(gone, by); !treated)
        return treated;
  }
  return {};
}

result<void> commit_scope::treat_referrers(const erased_record& gone,
                                           const incoming_reference& by) {
  std::vector<record_block*> referrers;
  by.find(detail::key_of(gone.what.key()), referrers);
  for (auto* referrer : referrers) {
    if (!alive(*referrer))
      continue; // erased by what was done to the one before
    if (refers_anew(*referrer, by.slot))
      continue; // to what is there when the commit is complete, which is looked at then
    if (has_expired(*referrer)) {
      // One that is kept itself stays, and refers to nothing; nobody sees it.
      if (!is_kept(*by.source, *referrer))
        erase_one(*by.source, *referrer, cause::ttl);
    } else if (by.what == on_delete::restrict || (gone.by_transaction && is_made_here(*referrer))) {
      // Whether it still refers when the commit is complete. What a transaction wrote after it had
      // erased what that refers to is not undone behind its back.
      kept_.push_back({gone.of, &by, gone.what});
      if (by.what == on_delete::restrict)
        return {};
    } else if (auto treated = treat_one(by, *referrer); !treated) {
      return fail(while_erasing(treated.error(), *gone.of, gone.what.key()));
    }
  }
  return {};
}

/// Whether what a record refers to by that field must be there when the commit is complete. A
/// reference that it had before stays whatever has become of the other record: what erases that
/// sees to it.
bool commit_scope::must_be_there(const outgoing_reference& by, const record_block& block) noexcept {
  return !by.key_in(block).is_null() && refers_anew(block, by.slot);
}

/// Whether a record has that reference from this commit, not from before.
bool commit_scope::refers_anew(const record_block& block, std::uint32_t slot) noexcept {
  const auto* before = as_it_was(&block);
  return before != &block &&
         (!before || compare(key_view::of(block, slot), key_view::of(*before, slot)) != 0);
}

const record_block* commit_scope::as_it_was(const record_block* block) noexcept {
  while (block && block->birth.load(std::memory_order_relaxed) == never)
    block = block->prev.load(std::memory_order_relaxed);
  return block;
}

result<void> commit_scope::treat_one(const incoming_reference& by, record_block& referrer) {
  auto& source = *by.source;
  if (by.what == on_delete::cascade) {
    erase_one(source, referrer, cause::reference);
    return {};
  }
  draft without{source.schema()};
  without.set_null(by.slot);
  if (auto changed = update(source, referrer, without, cause::reference); !changed)
    return fail(std::move(changed.error()));
  return {};
}

/// When a record that may not go by itself might, if only time goes on: at a deadline of those by
/// whom it is kept. Now, if that is what this commit writes, which must not go with what it makes
/// room for. Nothing if it may go.
std::optional<std::int64_t> commit_scope::kept_until(bucket_core& b,
                                                     const record_block& old) const {
  if (!linked_ || !b.links() || b.links()->incoming.empty())
    return std::nullopt;
  struct leaving {
    bucket_core* in;
    const record_block* block;
    std::int64_t until; ///< as long as those who would take it along are there
  };
  const auto end_of = [](const record_block& each) {
    return each.expires_at != 0 ? each.expires_at : evictor::always;
  };
  std::vector<leaving> going{{&b, &old, evictor::always}};
  std::unordered_set<const record_block*> seen{&old};
  std::vector<record_block*> referrers;
  for (std::size_t i = 0; i < going.size(); ++i) {
    auto* links = going[i].in->links();
    if (!links)
      continue;
    for (auto& by : links->incoming) {
      referrers.clear();
      by.find(key_view::of(*going[i].block, going[i].in->key_slot()), referrers);
      for (auto* referrer : referrers) {
        if (seen.contains(referrer) || has_expired(*referrer))
          continue;
        if (referrer->birth.load(std::memory_order_relaxed) == never)
          return now_.time_since_epoch().count();
        const auto until = std::min(going[i].until, end_of(*referrer));
        if (by.what == on_delete::restrict)
          return until;
        if (by.what == on_delete::set_null)
          continue;
        seen.insert(referrer);
        going.push_back({by.source, referrer, until});
      }
    }
  }
  return std::nullopt;
}

/// A record of `b` is erased or replaced: what it may have kept in a full bucket is looked at
/// again.
void commit_scope::release_kept(bucket_core& b, const record_block& old) {
  auto* links = b.links();
  if (!links)
    return;
  for (auto& out : links->outgoing) {
    auto* keeper = out.target ? out.target->evictor() : nullptr;
    if (!keeper)
      continue;
    if (std::ranges::find(members_, out.target) == members_.end()) { // it has not its turn
      keeper->release_all();
      continue;
    }
    if (!keeper->keeps_any())
      continue;
    const auto key = out.key_in(old);
    if (auto* target = key.is_null() ? nullptr : out.target->find_head(key))
      keeper->release(*target);
  }
  for (auto* far : links->capped_beyond)
    far->evictor()->release_all();
}

void commit_scope::release_all_kept(bucket_core& b) noexcept {
  auto* links = b.links();
  if (!links)
    return;
  for (auto& out : links->outgoing)
    if (out.target && out.target->evictor())
      out.target->evictor()->release_all();
  for (auto* far : links->capped_beyond)
    far->evictor()->release_all();
}

result<void> commit_scope::check_references() {
  // A transaction has done to those that it saw what their fields say.
  if (auto followed = follow_erased(); !followed)
    return followed;
  for (auto& [b, block] : referring_) {
    if (!alive(*block))
      continue; // replaced or erased again
    for (auto& out : b->links()->outgoing) {
      if (!must_be_there(out, *block))
        continue;
      const auto key = out.key_in(*block);
      auto* target = out.target ? out.target->find_head(key) : nullptr;
      if (!target || has_expired(*target))
        return fail(dangling(*b, out, *block));
    }
  }
  for (auto& kept : kept_) {
    // A record of that key may have been inserted again.
    if (kept.of->find_head(detail::key_of(kept.key_holder.key())))
      continue;
    std::vector<record_block*> left;
    kept.by->find(detail::key_of(kept.key_holder.key()), left);
    if (std::ranges::any_of(left, [&](auto* each) { return !has_expired(*each); }))
      return fail(referred_to(*kept.of, *kept.by, kept.key_holder.key()));
  }
  return {};
}

} // namespace holdfast::detail
