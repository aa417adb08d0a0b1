// Taking back operations of bucket_data that were sealed and never published.
#include <holdfast/store/detail/bucket_data.hpp>

#include <cassert>

namespace holdfast::detail {

template <class F>
void bucket_data::each_row(F&& f) const {
  for (std::uint64_t row = rows_.next_row(0, next_row_); row < next_row_;
       row = rows_.next_row(row + 1, next_row_))
    f(row);
}

void bucket_data::rewind(std::uint64_t seq) {
  assert(settled_ && !dirty());
  if (sealed_.seq <= seq)
    return;
  // A version that goes may take its row chunk with it; readers may just pass by all of them.
  std::size_t unlinked = 0;
  each_row([&](std::uint64_t row) {
    for (const record_block* b = rows_.head(row);
         b != nullptr && b->birth.load(std::memory_order_relaxed) > seq;
         b = b->prev.load(std::memory_order_relaxed))
      unlinked += 2;
  });
  for (const bucket_root* r = root_.load(std::memory_order_relaxed);
       r->birth.load(std::memory_order_relaxed) > seq; r = r->prev.load(std::memory_order_relaxed))
    ++unlinked;
  limbo_.reserve(unlinked);

  const bucket_root& then = root_at(seq);
  sealed_ = {seq, then.count, then.row_bound};
  for (std::size_t i = 0; i < uniques_.size(); ++i)
    uniques_[i]->values = uniques_[i]->sealed_values = then.uniques(trees_.size())[i];
  each_row([&](std::uint64_t row) { rewind_row(row, seq); });
  rows_.recount(seq);
  rewind_roots(seq);
  live_ = sealed_.live;
  next_row_ = sealed_.next_row;
}

/// As `undo` does it for an operation that was not sealed, for each version in turn.
void bucket_data::rewind_row(std::uint64_t row, std::uint64_t seq) noexcept {
  record_block* head = rows_.head(row);
  while (head != nullptr && head->birth.load(std::memory_order_relaxed) > seq) {
    record_block* older = head->prev.load(std::memory_order_relaxed);
    if (older == nullptr) {
      primary_.remove(head->hash, block_slots::payload(head));
      rows_.remove(row, sealed_.next_row);
    } else {
      rows_.replace(row, older);
      older->hash = head->hash;
      primary_.replace(head->hash, block_slots::payload(head), block_slots::payload(older));
      older->death.store(never, std::memory_order_release);
    }
    drop_unique(*head);
    limbo_.add(head);
    head = older;
  }
  if (head != nullptr && head->death.load(std::memory_order_relaxed) != never &&
      head->death.load(std::memory_order_relaxed) > seq)
    head->death.store(never, std::memory_order_release);
}

void bucket_data::rewind_roots(std::uint64_t seq) noexcept {
  bucket_root* root = root_.load(std::memory_order_relaxed);
  while (root->birth.load(std::memory_order_relaxed) > seq) {
    bucket_root* older = root->prev.load(std::memory_order_relaxed);
    root_.store(older, std::memory_order_release);
    limbo_.add(root, root_bytes());
    root = older;
  }
  root->death = never;
  root->next = nullptr;
  for (std::size_t i = 0; i < trees_.size(); ++i) {
    trees_[i]->rewind(root->trees()[i], seq);
    trees_[i]->begin(seq + 1);
  }
  if (deadlines_) {
    deadlines_->rewind(root->deadlines, seq);
    deadlines_->begin(seq + 1);
  }
  // What those operations ended lives on, but for the nodes that they had made themselves.
  for (; !ended_.empty() && ended_.back().death > seq; ended_.pop_back()) {
    const ended& e = ended_.back();
    if (e.kind != ended_kind::node)
      continue;
    auto* n = static_cast<order_node*>(e.p);
    if (n->birth > seq)
      memory_.free(n, node_bytes(*n));
  }
}

} // namespace holdfast::detail
