// Erasing, within a transaction and as a part of its commit, what has expired at its time.
#include <holdfast/store/detail/purge.hpp>
#include <holdfast/store/detail/transaction_state.hpp>

#include <unordered_set>

namespace holdfast::detail {
namespace {

/// A record that would go, and where it is.
struct going_record {
  ref<transaction_part> in;
  record what;
};

} // namespace

/// Whether erasing the record would be refused because of one that refers to it, or to what goes
/// with it, as `commit_scope::is_kept` decides; notes that it looked which there are.
result<bool> transaction_part::is_kept(record_block& old) {
  std::vector<going_record> going{{ref<transaction_part>{this}, record::share(&old)}};
  std::unordered_set<const record_block*> seen{&old};
  for (std::size_t i = 0; i < going.size(); ++i) {
    const auto each = going[i];
    auto referrers = of_->referrers(each.in->core());
    if (!referrers)
      return fail(std::move(referrers.error()));
    for (auto& by : *referrers) {
      if (by.what == on_delete::set_null)
        continue;
      auto source = of_->part_of(by.source);
      auto found = source->referring(by.slot, each.what.key(), std::vector<std::string>{});
      if (!found)
        return fail(std::move(found.error()));
      for (auto& referrer : *found) {
        if (seen.contains(referrer.block()))
          continue;
        if (by.what == on_delete::restrict)
          return true;
        seen.insert(referrer.block());
        going.push_back({source, referrer});
      }
    }
  }
  return false;
}

/// Whether the record was erased: not if it has gone already, or must stay.
result<bool> transaction_part::purge_one(record_block& old) {
  auto k = key_view::of(old, core_->key_slot());
  if (auto* own = own_.find(k, old.hash, core_->key_slot()); own && own->changes())
    return false;
  auto kept = is_kept(old);
  if (!kept || *kept)
    return kept.map([](bool) { return false; });
  if (auto gone = put_erased(old); !gone)
    return fail(std::move(gone.error()));
  purged_.push_back(&old);
  return true;
}

/// What the snapshot has of records that have expired, which keeps them, in order of deadlines.
/// What the transaction writes itself ends behind its time, so there are no others.
result<std::vector<record_block*>> transaction_part::expired_blocks() {
  using blocks = std::vector<record_block*>;
  return read([&](const reader& from, std::int64_t at) -> result<blocks> {
    blocks out; // they are immutable but for their atomics
    from.each_expired(
        at, [&](const record_block& each) { out.push_back(const_cast<record_block*>(&each)); });
    return out;
  });
}

result<std::uint64_t> transaction_part::purge() {
  if (auto why = refusal())
    return fail(std::move(*why));
  auto due = expired_blocks();
  if (!due)
    return fail(std::move(due.error()));
  return of_->all_or_nothing([&]() -> result<std::uint64_t> {
    std::uint64_t removed = 0;
    for (auto* each : *due) {
      auto gone = of_->all_or_nothing([&] { return purge_one(*each); });
      if (!gone && !is_about_a_record(gone.error()))
        return fail(std::move(gone.error()));
      removed += gone && *gone ? 1 : 0;
    }
    return removed;
  });
}

/// With what has expired, which is not counted, and of which nobody minds who erased it.
result<std::uint64_t> transaction_part::clear() {
  if (auto why = refusal())
    return fail(std::move(*why));
  return of_->all_or_nothing([&]() -> result<std::uint64_t> {
    auto count = erase_many(filter{});
    if (!count)
      return count;
    auto due = expired_blocks();
    if (!due)
      return fail(std::move(due.error()));
    for (auto* each : *due) {
      auto k = key_view::of(*each, core_->key_slot());
      if (auto* own = own_.find(k, each->hash, core_->key_slot()); own && own->changes())
        continue;
      if (auto gone = put_erased(*each); !gone)
        return fail(std::move(gone.error()));
    }
    return count;
  });
}

} // namespace holdfast::detail
