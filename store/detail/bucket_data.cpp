#include <holdfast/store/detail/bucket_data.hpp>

#include <holdfast/runtime/fault.hpp>
#include <holdfast/store/detail/order_cursor.hpp>

#include <algorithm>
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

bucket_data::bucket_data(commit_line& line, bucket_layout layout)
    : line_(line), layout_(std::move(layout)) {
  for (const index_spec& spec : layout_.indexes) {
    if (spec.type == index_type::unique) {
      numbers_.push_back(uniques_.size());
      uniques_.push_back(std::make_unique<unique_index>(spec, memory_, limbo_));
    } else {
      numbers_.push_back(trees_.size());
      trees_.push_back(std::make_unique<order_tree>(memory_, spec.kind, spec.slot_number, rows_,
                                                    spec.more_slots));
    }
  }
  // An empty bucket, at every seq.
  bucket_root* first = make_root();
  first->birth.store(0, std::memory_order_relaxed);
  root_.store(first, std::memory_order_release);
  for (auto& tree : trees_)
    tree->begin(1);
}

bucket_data::~bucket_data() {
  if (!settled_)
    settle();
  rollback();
  // All versions, those of rows that are reachable and those already unlinked, lose the bucket's
  // reference; nodes and roots go with the pool.
  for (std::uint64_t row = rows_.next_row(0, next_row_); row < next_row_;
       row = rows_.next_row(row + 1, next_row_)) {
    for (record_block* b = rows_.head(row); b != nullptr;) {
      record_block* older = b->prev.load(std::memory_order_relaxed);
      drop_block(memory_, b);
      b = older;
    }
  }
  limbo_.drain(idle, limbo_.size());
}

record_block* bucket_data::unique_head(std::size_t index, const key_view& value,
                                       const record_block* other_than) const {
  const unique_index& u = *uniques_[numbers_[index]];
  record_block* found = nullptr;
  u.slots.find(hash_of(value), [&](std::uint64_t payload) {
    record_block* b = rows_.head(row_slots::row(payload));
    if (b->death.load(std::memory_order_relaxed) != never || b == other_than ||
        compare(key_view::of(*b, u.spec.slot_number), value) != 0)
      return false;
    found = b;
    return true;
  });
  return found;
}

record_block* bucket_data::find_unique_at(std::size_t index, const key_view& value,
                                          std::uint64_t seq) const {
  const unique_index& u = *uniques_[numbers_[index]];
  record_block* found = nullptr;
  u.slots.find(hash_of(value), [&](std::uint64_t payload) {
    record_block* b = visible_at(rows_.head(row_slots::row(payload)), seq);
    if (b == nullptr || compare(key_view::of(*b, u.spec.slot_number), value) != 0)
      return false;
    found = b;
    return true;
  });
  return found;
}

void bucket_data::find_heads(std::size_t index, const key_view& value,
                             std::vector<record_block*>& out) const {
  const index_spec& spec = layout_.indexes[index];
  if (spec.type == index_type::unique) {
    if (record_block* b = unique_head(index, value))
      out.push_back(b);
    return;
  }
  const entry_order order = order_of(index, never);
  order_cursor at(open_tree(index));
  for (at.seek(order_probe::before(spec.kind, value), order); !at.at_end(); at.next()) {
    record_block* b = rows_.head(at.entry().row);
    if (compare(key_view::of(*b, spec.slot_number), value) != 0)
      return;
    out.push_back(b);
  }
}

bool bucket_data::each_change_since(
    std::uint64_t seq, const std::function<bool(const record_block*, const record_block*)>& f) {
  auto changed = [&](const ended& e) {
    if (e.kind != ended_kind::version || e.death <= seq || birth_of(e) > seq)
      return true;
    const auto* before = static_cast<const record_block*>(e.p);
    const record_block* after = rows_.head(before->row);
    return f(before, after->death.load(std::memory_order_relaxed) == never ? after : nullptr);
  };
  for (std::size_t i = ended_.size(); i > 0 && ended_[i - 1].death > seq; --i)
    if (!changed(ended_[i - 1]))
      return false;
  // What a snapshot at `seq` needs has been kept when it was looked at.
  for (const ended& e : kept_)
    if (!changed(e))
      return false;
  bool more = true;
  each_head(root_at(seq).row_bound, [&](record_block& b) { return more = f(nullptr, &b); });
  return more;
}

const order_node* bucket_data::open_tree(std::size_t index) const noexcept {
  return trees_[numbers_[index]]->root();
}

bool bucket_data::trees_changed() const noexcept {
  bool changed = false;
  each_tree([&](const order_tree& tree) { changed |= tree.changed(); });
  return changed;
}

bool bucket_data::uniques_changed() const noexcept {
  return std::ranges::any_of(uniques_, [](auto& u) { return u->values != u->sealed_values; });
}

order_tree& bucket_data::deadlines() {
  if (!deadlines_) {
    deadlines_ = std::make_unique<order_tree>(memory_, index_kind::integer, deadline_slot, rows_);
    deadlines_->begin(sealed_.seq + 1);
  }
  return *deadlines_;
}

/// Of a record that changes, comes (`from` is null) or goes (`to` is null).
void bucket_data::move_deadline(const record_block* from, const record_block* to,
                                std::uint64_t row) {
  const std::int64_t before = from != nullptr ? from->expires_at : 0;
  const std::int64_t after = to != nullptr ? to->expires_at : 0;
  if (before == after) [[likely]]
    return;
  if (before != 0)
    deadlines().erase_at(deadline_probe(before, row));
  if (after != 0)
    deadlines().insert_at(deadline_probe(after, row));
  fault_point("data.deadline_changed");
}

std::uint64_t bucket_data::expired_heads(std::int64_t now) const noexcept {
  return deadlines_ ? rank_of(deadlines_->root(), deadline_probe(now, ~std::uint64_t{0}),
                              deadline_order(rows_))
                    : 0;
}

void bucket_data::find_expired(std::int64_t now, const deadline_place& behind, std::size_t most,
                               std::vector<record_block*>& out) const {
  if (!deadlines_)
    return;
  order_cursor at(deadlines_->root());
  at.seek(deadline_probe(behind.at, behind.row + 1), deadline_order(rows_));
  for (; most > 0 && !at.at_end(); at.next(), --most) {
    record_block* b = rows_.head(at.entry().row);
    if (b->expires_at > now)
      return;
    out.push_back(b);
  }
}

void bucket_data::build_deadlines(std::span<record_block* const> blocks) {
  std::vector<order_entry> entries;
  for (const record_block* b : blocks)
    if (b->expires_at != 0)
      entries.push_back({deadline_probe(b->expires_at, b->row).prefix, b->row});
  if (entries.empty())
    return;
  std::sort(entries.begin(), entries.end(), [](const order_entry& a, const order_entry& b) {
    return a.prefix != b.prefix ? a.prefix < b.prefix : a.row < b.row;
  });
  deadlines().build(entries);
}

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
