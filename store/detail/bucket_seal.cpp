// Sealing, reclamation and loading of bucket_data.
#include <holdfast/store/detail/bucket_data.hpp>

#include <holdfast/runtime/fault.hpp>

#include <algorithm>
#include <exception>
#include <mutex>

namespace holdfast::detail {

namespace {

/// What readers need is looked at once per so many commits, or sooner when they ended more than
/// twice as much. That takes the heavy side of the fence, for which all running threads of the
/// process are interrupted: 1 to 50 us, by the machine. So it is the rarer, the less what waits for
/// it matters beside the records. What it lets go is freed a little with each commit after it.
constexpr std::size_t least_patience = 64, most_patience = 512;
constexpr std::size_t records_per_patience = 128; ///< it waits one commit longer for each so many
/// What a commit frees besides twice what it ended: works off a backlog.
constexpr std::size_t least_budget = 16;
constexpr std::size_t drain_step = 256; ///< of a budget; room is found for so much at a time

} // namespace

bucket_root* bucket_data::make_root() {
  void* memory = memory_.allocate(root_bytes());
  bucket_root* last = root_.load(std::memory_order_relaxed);
  auto* root = new (memory) bucket_root{
      {never}, never, nullptr, {last}, live_, next_row_, deadlines_ ? deadlines_->root() : nullptr};
  for (std::size_t i = 0; i < trees_.size(); ++i)
    root->trees()[i] = trees_[i]->root();
  for (std::size_t i = 0; i < uniques_.size(); ++i)
    root->uniques(trees_.size())[i] = uniques_[i]->values;
  return root;
}

std::uint64_t bucket_data::seal() {
  prepare_seal();
  std::uint64_t seq;
  {
    const std::lock_guard guard(line_);
    seq = line_.take_seq();
    seal_at(seq);
    line_.publish(seq);
  }
  settle();
  return seq;
}

void bucket_data::prepare_seal() {
  if (pending_ != nullptr)
    memory_.free(std::exchange(pending_, nullptr), root_bytes());
  std::size_t ends = edits_.size() + 1;
  each_tree([&](const order_tree& tree) { ends += tree.replaced().size(); });
  ended_.reserve(ends);
  // An update of fields without an index leaves the root as it is.
  if (next_row_ != sealed_.next_row || live_ != sealed_.live || trees_changed() ||
      uniques_changed())
    pending_ = make_root();
}

void bucket_data::seal_at(std::uint64_t seq) noexcept {
  for (const edit& e : edits_) {
    if (e.kind == edit_kind::unique_added)
      continue;
    if (e.kind == edit_kind::inserted)
      rows_.appears(e.fresh->row, seq);
    else if (e.kind == edit_kind::erased)
      rows_.disappears(e.old->row, seq);
    if (e.fresh != nullptr)
      e.fresh->birth.store(seq, std::memory_order_release);
    if (e.old != nullptr)
      e.old->death.store(seq, std::memory_order_release);
  }
  if (pending_ != nullptr) {
    bucket_root* last = pending_->prev.load(std::memory_order_relaxed);
    last->death = seq;
    last->next = pending_;
    pending_->birth.store(seq, std::memory_order_release);
    root_.store(pending_, std::memory_order_release);
  }
  sealed_ = {seq, live_, next_row_};
  for (auto& u : uniques_)
    u->sealed_values = u->values;
  settled_ = false;
}

void bucket_data::settle() noexcept {
  const std::uint64_t seq = sealed_.seq;
  const std::size_t before = ended_.size();
  for (const edit& e : edits_)
    if (e.kind == edit_kind::replaced || e.kind == edit_kind::erased)
      ended_.push({e.old, seq, ended_kind::version, e.unique_changed});
  each_tree([&](order_tree& tree) {
    for (order_node* n : tree.replaced())
      ended_.push({n, seq, ended_kind::node, false});
    tree.seal();
    tree.begin(seq + 1);
  });
  if (pending_ != nullptr) {
    bucket_root* last = pending_->prev.load(std::memory_order_relaxed);
    ended_.push({last, seq, ended_kind::root, false});
    pending_ = nullptr;
  }
  edits_.clear();
  limbo_.end_pledges();
  settled_ = true;

  const std::size_t more = ended_.size() - before;
  ended_since_look_ += more;
  if (++commits_since_look_ >= patience() || ended_since_look_ >= 2 * patience())
    draining_ = look();
  if (draining_)
    draining_ = drain(least_budget + 2 * more);
}

/// Commits between two looks.
std::size_t bucket_data::patience() const noexcept {
  return std::clamp<std::size_t>(live_ / records_per_patience, least_patience, most_patience);
}

void bucket_data::reclaim() noexcept {
  // What one pass unlinks the next one frees, if no pin is in the way.
  while (look() && drain(waiting() + 1)) {
  }
  draining_ = false;
  memory_.collect();
}

/// Takes a new horizon; whether it could. Without memory for it, nothing may be freed by the old
/// one either.
bool bucket_data::look() noexcept {
  commits_since_look_ = 0;
  ended_since_look_ = 0;
  const std::uint64_t drops = line_.snapshots_dropped();
  try {
    // What is unlinked behind the look may be in the hands of who pinned meanwhile: it waits for
    // the next one.
    ripe_ = limbo_.size();
    line_.look(horizon_);
    fault_point("limbo.looked");
    ended_.trim(2 * patience());
    limbo_.trim(4 * drain_step);
  } catch (const std::exception&) { // no memory, or a fault on purpose
    return false;
  }
  if (sweep_ == 0 && drops != swept_drops_) {
    swept_drops_ = drops;
    sweep_ = kept_.size();
  }
  return true;
}

/// Looks at about `budget` of what waits, by the horizon there is; whether anything went or moved.
/// Without memory for it, it does nothing.
bool bucket_data::drain(std::size_t budget) noexcept {
  bool moved = false;
  try {
    for (bool more = true; more && budget > 0; budget -= std::min(drain_step, budget)) {
      const std::size_t n = std::min(drain_step, budget);
      // A version may take its row chunk with it.
      limbo_.reserve(4 * n);
      if (kept_.capacity() < kept_.size() + n)
        kept_.reserve(2 * kept_.size() + n);
      const auto freed = limbo_.drain(horizon_.pinned, std::min(2 * n, ripe_));
      ripe_ -= freed;
      more = freed > 0;
      more |= look_at_ended(n);
      more |= sweep(n);
      moved |= more;
    }
  } catch (const std::exception&) { // no memory: nothing is done by halves
    return false;
  }
  return moved;
}

/// Frees or keeps at most `n` of what ended; whether there was any that could be.
bool bucket_data::look_at_ended(std::size_t n) noexcept {
  const std::size_t before = ended_.size();
  for (; n > 0 && !ended_.empty() && ended_.front().death <= horizon_.ended; --n) {
    ended e = ended_.front();
    ended_.pop();
    if (horizon_.needed(birth_of(e), e.death)) {
      e.check_unique = true;
      kept_.push_back(e);
      kept_bytes_ += bytes_of(e);
    } else {
      reclaim(e);
    }
  }
  return ended_.size() < before;
}

/// Looks again at what snapshots kept, after some of them were dropped; whether anything was left
/// to look at.
bool bucket_data::sweep(std::size_t n) noexcept {
  if (sweep_ == 0)
    return false;
  for (; n > 0 && sweep_ > 0; --n) {
    const ended e = kept_[--sweep_];
    if (horizon_.needed(birth_of(e), e.death))
      continue;
    kept_[sweep_] = kept_.back();
    kept_.pop_back();
    kept_bytes_ -= bytes_of(e);
    reclaim(e);
  }
  if (kept_.empty())
    kept_ = {};
  return true;
}

std::uint64_t bucket_data::birth_of(const ended& e) const noexcept {
  switch (e.kind) {
  case ended_kind::version:
    return static_cast<record_block*>(e.p)->birth.load(std::memory_order_relaxed);
  case ended_kind::node:
    return static_cast<order_node*>(e.p)->birth;
  case ended_kind::root:
    return static_cast<bucket_root*>(e.p)->birth.load(std::memory_order_relaxed);
  }
  return 0;
}

std::size_t bucket_data::bytes_of(const ended& e) const noexcept {
  switch (e.kind) {
  case ended_kind::version:
    return static_cast<record_block*>(e.p)->bytes;
  case ended_kind::node:
    return node_bytes(*static_cast<order_node*>(e.p));
  case ended_kind::root:
    return root_bytes();
  }
  return 0;
}

/// Unlinks and frees what no snapshot and no pin needs any more. A walker passes through a dead
/// version only on its way to an older one, so without an older snapshot it is freed at once.
void bucket_data::reclaim(const ended& e) noexcept {
  const bool at_once = horizon_.snapshots.empty() || horizon_.snapshots.front() >= e.death;
  switch (e.kind) {
  case ended_kind::version:
    return reclaim_version(static_cast<record_block*>(e.p), e, at_once);
  case ended_kind::node: {
    auto* n = static_cast<order_node*>(e.p);
    return memory_.free(n, node_bytes(*n));
  }
  case ended_kind::root:
    return reclaim_root(static_cast<bucket_root*>(e.p), at_once);
  }
}

void bucket_data::reclaim_version(record_block* block, const ended& e, bool at_once) noexcept {
  record_block* older = block->prev.load(std::memory_order_relaxed);
  const std::uint64_t row = block->row;
  if (rows_.head(row) != block) {
    auto* newer = reinterpret_cast<record_block*>(block->hash);
    newer->prev.store(older, std::memory_order_release);
    if (older != nullptr)
      older->hash = block->hash;
    if (e.check_unique)
      drop_unique(*block);
    return at_once ? drop_block(memory_, block) : limbo_.add(block);
  }
  // An erased head: readers come to it through its slot at any time.
  if (older != nullptr) {
    older->hash = block->hash;
    rows_.replace(row, older);
    primary_.replace(block->hash, block_slots::payload(block), block_slots::payload(older));
  } else {
    primary_.remove(block->hash, block_slots::payload(block));
    rows_.remove(row, sealed_.next_row);
  }
  drop_unique(*block);
  limbo_.add(block);
}

/// Removes the slots of the unique values that no linked version of the row has any more.
void bucket_data::drop_unique(const record_block& block) noexcept {
  const record_block* head = rows_.head(block.row);
  for (auto& u : uniques_) {
    const key_view value = key_view::of(block, u->spec.slot_number);
    if (value.tag == slot_tag::null)
      continue;
    const std::uint64_t hash = hash_of(value);
    const record_block* b = head;
    while (b != nullptr) {
      const key_view other = key_view::of(*b, u->spec.slot_number);
      if (other.tag != slot_tag::null && row_slots::tag(hash_of(other)) == row_slots::tag(hash))
        break;
      b = b->prev.load(std::memory_order_relaxed);
    }
    if (b == nullptr)
      u->slots.remove(hash, row_slots::payload(block.row));
  }
}

void bucket_data::reclaim_root(bucket_root* root, bool at_once) noexcept {
  bucket_root* older = root->prev.load(std::memory_order_relaxed);
  root->next->prev.store(older, std::memory_order_release);
  if (older != nullptr)
    older->next = root->next;
  if (at_once)
    memory_.free(root, root_bytes());
  else
    limbo_.add(root, root_bytes());
}

void bucket_data::load(std::span<record_block* const> blocks, std::uint64_t seq) {
  constexpr std::size_t ahead = 8;
  primary_.presize(blocks.size());
  for (auto& u : uniques_)
    u->slots.presize(blocks.size());
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (i + ahead < blocks.size())
      prefetch<0, 64, 128>(blocks[i + ahead]);
    record_block* b = blocks[i];
    b->birth.store(seq, std::memory_order_relaxed);
    rows_.reserve(b->row);
    primary_.reserve(b->hash);
    for (auto& u : uniques_) {
      const key_view value = key_view::of(*b, u->spec.slot_number);
      if (value.tag == slot_tag::null)
        continue;
      const std::uint64_t hash = hash_of(value);
      u->slots.reserve(hash);
      u->slots.insert(hash, row_slots::payload(b->row));
      ++u->values;
    }
    rows_.add(b->row, b);
    rows_.appears(b->row, seq);
    primary_.insert(b->hash, block_slots::payload(b));
    next_row_ = std::max(next_row_, b->row + 1);
  }
  live_ = blocks.size();
  for (auto& tree : trees_) {
    tree->begin(seq); // not the next operation's, which would take them for its own and edit them
    tree->build(blocks);
  }
  build_deadlines(blocks, seq);
  prepare_seal();
  seal_at(seq);
  settle();
}

} // namespace holdfast::detail
