#include <holdfast/store/detail/bucket_data.hpp>

#include <holdfast/runtime/fault.hpp>
#include <holdfast/store/detail/order_cursor.hpp>

#include <algorithm>

namespace holdfast::detail {

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

bool bucket_data::each_passing_since(
    std::uint64_t seq, const std::function<bool(const record_block*, const record_block*)>& f) {
  const auto published = line_.published();
  const auto passes = [&](const ended& e) {
    if (e.kind != ended_kind::version || e.death <= published || birth_of(e) <= seq)
      return true;
    const auto* version = static_cast<const record_block*>(e.p);
    return f(visible_at(rows_.head(version->row), seq), version);
  };
  for (std::size_t i = ended_.size(); i > 0 && ended_[i - 1].death > published; --i)
    if (!passes(ended_[i - 1]))
      return false;
  return std::ranges::all_of(kept_, passes);
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

void bucket_data::build_deadlines(std::span<record_block* const> blocks, std::uint64_t seq) {
  std::vector<order_entry> entries;
  for (const record_block* b : blocks)
    if (b->expires_at != 0)
      entries.push_back({deadline_probe(b->expires_at, b->row).prefix, b->row});
  if (entries.empty())
    return;
  std::sort(entries.begin(), entries.end(), [](const order_entry& a, const order_entry& b) {
    return a.prefix != b.prefix ? a.prefix < b.prefix : a.row < b.row;
  });
  deadlines().begin(seq);
  deadlines().build(entries);
}

} // namespace holdfast::detail
