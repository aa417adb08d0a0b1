// What a commit does about records that refer to one another.
#include <holdfast/store/detail/commit_scope.hpp>

#include <holdfast/store/detail/execute_stream.hpp>
#include <holdfast/store/detail/read_key.hpp>
#include <holdfast/store/detail/shown.hpp>

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

} // namespace

/// Works through what was erased; erasing a referrer may add to it. A cycle ends because what is
/// erased is not found again.
result<void> commit_scope::follow_erased() {
  while (!erased_.empty()) {
    auto [b, gone] = std::move(erased_.back());
    erased_.pop_back();
    if (why_ == cause::transaction && b->find_head(detail::key_of(gone.key())))
      continue; // the transaction put another record in its place
    for (auto& by : b->links()->incoming)
      if (auto treated = treat_referrers(*b, by, gone); !treated)
        return treated;
  }
  return {};
}

result<void> commit_scope::treat_referrers(bucket_core& b, const incoming_reference& by,
                                           const record& gone) {
  std::vector<record_block*> referrers;
  by.source->data().find_heads(by.index(), detail::key_of(gone.key()), referrers);
  for (auto* referrer : referrers) {
    if (!alive(*referrer))
      continue; // erased by what was done to the one before
    if (has_expired(*referrer)) {
      erase_one(*by.source, *referrer, cause::ttl);
    } else if (by.what == on_delete::restrict) {
      // Whether it still refers when the commit is complete.
      kept_.push_back({&b, &by, gone});
      return {};
    } else if (auto treated = treat_one(by, *referrer); !treated) {
      return treated;
    }
  }
  return {};
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

bool commit_scope::is_kept(bucket_core& b, const record_block& old) const {
  if (!linked_ || !b.links() || b.links()->incoming.empty())
    return false;
  std::vector<std::pair<bucket_core*, const record_block*>> going{{&b, &old}};
  std::unordered_set<const record_block*> seen{&old};
  std::vector<record_block*> referrers;
  for (std::size_t i = 0; i < going.size(); ++i) {
    auto* links = going[i].first->links();
    if (!links)
      continue;
    for (auto& by : links->incoming) {
      referrers.clear();
      by.source->data().find_heads(
          by.index(), key_view::of(*going[i].second, going[i].first->key_slot()), referrers);
      for (auto* referrer : referrers) {
        if (seen.contains(referrer) || has_expired(*referrer))
          continue;
        // What this commit writes must not go with what it makes room for.
        const auto fresh = referrer->birth.load(std::memory_order_relaxed) == never;
        if (by.what == on_delete::restrict || fresh)
          return true;
        if (by.what == on_delete::set_null)
          continue;
        seen.insert(referrer);
        going.emplace_back(by.source, referrer);
      }
    }
  }
  return false;
}

result<void> commit_scope::check_references() {
  // A transaction has done to those that it saw what their fields say.
  if (auto followed = follow_erased(); !followed)
    return followed;
  for (auto& [b, block] : referring_) {
    if (!alive(*block))
      continue; // replaced or erased again
    for (auto& out : b->links()->outgoing) {
      auto key = key_view::of(*block, out.slot);
      if (key.tag == slot_tag::null)
        continue;
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
    kept.by->source->data().find_heads(kept.by->index(), detail::key_of(kept.key_holder.key()),
                                       left);
    if (!left.empty())
      return fail(referred_to(*kept.of, *kept.by, kept.key_holder.key()));
  }
  return {};
}

} // namespace holdfast::detail
