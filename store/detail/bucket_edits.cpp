// What a commit that is not sealed does to a bucket, and how it is undone.
#include <holdfast/store/detail/bucket_data.hpp>

#include <holdfast/runtime/fault.hpp>

#include <cassert>
#include <cstring>

namespace holdfast::detail {

namespace {

/// Whether two versions hold equal values in a slot.
bool same_value(const record_block& a, const record_block& b, std::uint32_t slot_number) noexcept {
  const slot& sa = a.slots()[slot_number];
  const slot& sb = b.slots()[slot_number];
  if (sa.tag < slot_tag::text && std::memcmp(&sa, &sb, sizeof(slot)) == 0)
    return true;
  return compare(key_view::of(a, slot_number), key_view::of(b, slot_number)) == 0;
}

/// Whether two versions have equal entries in an ordered index.
bool same_entry(const record_block& a, const record_block& b, const order_tree& tree) noexcept {
  if (!same_value(a, b, tree.slot_number()))
    return false;
  for (const std::uint32_t slot : tree.more_slots())
    if (!same_value(a, b, slot))
      return false;
  return true;
}

void set_next(record_block& older, record_block* newer) noexcept {
  older.hash = reinterpret_cast<std::uintptr_t>(newer);
}

} // namespace

/// Frees a block that never became part of the bucket.
class bucket_data::owned_block {
public:
  owned_block(pool& memory, record_block* block) noexcept : memory_(memory), block_(block) {}
  owned_block(const owned_block&) = delete;
  owned_block& operator=(const owned_block&) = delete;
  ~owned_block() {
    if (block_ != nullptr)
      drop_block(memory_, block_);
  }
  void release() noexcept { block_ = nullptr; }

private:
  pool& memory_;
  record_block* block_;
};

/// Room for what one call adds to the undo list: itself and one entry per unique index.
void bucket_data::reserve_edits() {
  const std::size_t wanted = edits_.size() + 1 + uniques_.size();
  if (wanted > edits_.capacity())
    edits_.reserve(2 * wanted);
}

void bucket_data::insert(record_block* fresh) {
  owned_block guard(memory_, fresh);
  const std::uint64_t row = next_row_;
  fresh->row = row;
  reserve_edits();
  primary_.reserve(fresh->hash);
  rows_.reserve(row);
  for (auto& u : uniques_) {
    const key_view value = key_view::of(*fresh, u->spec.slot_number);
    if (value.tag == slot_tag::null)
      continue;
    u->hash = hash_of(value);
    u->slots.reserve(u->hash);
  }
  for (auto& tree : trees_) {
    tree->insert(*fresh, row);
    fault_point("data.index_changed");
  }
  move_deadline(nullptr, fresh, row);
  limbo_.pledge(2); // the block and its row chunk
  guard.release();

  // The way back is written before the edit, and takes back whatever part of it was done.
  edits_.push_back({edit_kind::inserted, false, 0, nullptr, fresh, 0});
  rows_.add(row, fresh);
  fault_point("data.row_added");
  primary_.insert(fresh->hash, block_slots::payload(fresh));
  fault_point("data.key_added");
  for (auto& u : uniques_)
    if (u->holds(*fresh)) {
      u->slots.insert(u->hash, row_slots::payload(row));
      ++u->values;
      fault_point("data.unique_added");
    }
  ++next_row_;
  ++live_;
}

/// Makes room for the unique values that a record is to have besides those of its version before;
/// `hash` marks the indexes that get one. Whether any unique value is another one.
bool bucket_data::prepare_uniques(const record_block& old, const record_block& fresh) {
  bool changed = false;
  for (auto& u : uniques_) {
    u->hash = 0;
    if (same_value(old, fresh, u->spec.slot_number))
      continue;
    changed = true;
    u->values = u->values + u->holds(fresh) - u->holds(old);
    const key_view value = key_view::of(fresh, u->spec.slot_number);
    if (value.tag == slot_tag::null)
      continue;
    const std::uint64_t h = hash_of(value);
    // The slot may be there, of an older version or of a value with the same tag.
    if (u->slots.contains(h, row_slots::payload(old.row)))
      continue;
    u->slots.reserve(h);
    u->hash = h | 1; // marks it as one to add; the lowest bit is not used
  }
  return changed;
}

void bucket_data::add_prepared_uniques(record_block& fresh) {
  for (std::uint32_t i = 0; i < uniques_.size(); ++i) {
    unique_index& u = *uniques_[i];
    if (u.hash == 0)
      continue;
    edits_.push_back({edit_kind::unique_added, false, i, nullptr, &fresh, u.hash});
    u.slots.insert(u.hash, row_slots::payload(fresh.row));
    fault_point("data.unique_added");
  }
}

void bucket_data::replace(record_block* old, record_block* fresh) {
  owned_block guard(memory_, fresh);
  assert(old->death.load() == never);
  const std::uint64_t row = old->row, hash = old->hash;
  fresh->row = row;
  fresh->hash = hash;
  reserve_edits();
  const bool unique_changed = prepare_uniques(*old, *fresh);
  for (auto& tree : trees_) {
    if (same_entry(*old, *fresh, *tree))
      continue;
    if (tree->kind() == index_kind::part) {
      tree->replace_parts(*old, *fresh, row);
      fault_point("data.index_changed");
      continue;
    }
    tree->erase(*old);
    fault_point("data.index_changed");
    tree->insert(*fresh, row);
  }
  move_deadline(old, fresh, row);
  limbo_.pledge(1);
  guard.release();

  edits_.push_back({edit_kind::replaced, unique_changed, 0, old, fresh, 0});
  if (unique_changed)
    add_prepared_uniques(*fresh);
  fresh->prev.store(old, std::memory_order_relaxed);
  old->death.store(dying, std::memory_order_release);
  fault_point("data.version_ended");
  rows_.replace(row, fresh);
  fault_point("data.row_replaced");
  primary_.replace(hash, block_slots::payload(old), block_slots::payload(fresh));
  fault_point("data.key_replaced");
  set_next(*old, fresh);
}

void bucket_data::erase(record_block* old) {
  assert(old->death.load() == never);
  reserve_edits();
  for (auto& tree : trees_) {
    tree->erase(*old);
    fault_point("data.index_changed");
  }
  move_deadline(old, nullptr, old->row);
  edits_.push_back({edit_kind::erased, false, 0, old, nullptr, 0});
  old->death.store(dying, std::memory_order_release);
  fault_point("data.version_ended");
  for (auto& u : uniques_)
    u->values -= u->holds(*old);
  --live_;
}

void bucket_data::clear() {
  edits_.reserve(edits_.size() + live_);
  each_tree([](order_tree& tree) { tree.clear(); });
  for (std::uint64_t row = rows_.next_row(0, next_row_); row < next_row_;
       row = rows_.next_row(row + 1, next_row_)) {
    record_block* b = rows_.head(row);
    if (b->death.load(std::memory_order_relaxed) != never)
      continue;
    edits_.push_back({edit_kind::erased, false, 0, b, nullptr, 0});
    b->death.store(dying, std::memory_order_release);
    fault_point("data.version_ended");
  }
  for (auto& u : uniques_)
    u->values = 0;
  live_ = 0;
}

void bucket_data::undo(const edit& e) noexcept {
  switch (e.kind) {
  case edit_kind::inserted: {
    const std::uint64_t row = e.fresh->row;
    primary_.remove(e.fresh->hash, block_slots::payload(e.fresh));
    for (auto& u : uniques_) {
      const key_view value = key_view::of(*e.fresh, u->spec.slot_number);
      if (value.tag != slot_tag::null)
        u->slots.remove(hash_of(value), row_slots::payload(row));
    }
    if (rows_.head(row) == e.fresh)
      rows_.remove(row, sealed_.next_row);
    limbo_.add(e.fresh);
    return;
  }
  case edit_kind::replaced:
    rows_.replace(e.old->row, e.old);
    e.old->hash = e.fresh->hash;
    primary_.replace(e.fresh->hash, block_slots::payload(e.fresh), block_slots::payload(e.old));
    e.old->death.store(never, std::memory_order_release);
    limbo_.add(e.fresh);
    return;
  case edit_kind::unique_added:
    uniques_[e.unique]->slots.remove(e.hash, row_slots::payload(e.fresh->row));
    return;
  case edit_kind::erased:
    e.old->death.store(never, std::memory_order_release);
    return;
  }
}

void bucket_data::rollback() noexcept {
  for (std::size_t i = edits_.size(); i-- > 0;)
    undo(edits_[i]);
  edits_.clear();
  limbo_.end_pledges();
  each_tree([](order_tree& tree) { tree.rollback(); });
  if (pending_ != nullptr)
    memory_.free(std::exchange(pending_, nullptr), root_bytes());
  for (auto& u : uniques_)
    u->values = u->sealed_values;
  live_ = sealed_.live;
  next_row_ = sealed_.next_row;
}

} // namespace holdfast::detail
