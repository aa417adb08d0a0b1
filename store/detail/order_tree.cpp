#include <holdfast/store/detail/order_tree.hpp>

#include <holdfast/store/detail/parts.hpp>

#include <array>
#include <cstring>
#include <utility>

namespace holdfast::detail {

namespace {

constexpr std::uint32_t capacity = order_node::capacity;
constexpr std::uint32_t least_fill = capacity / 4;
constexpr std::uint32_t merged_fill = capacity / 4 * 3;

void open_gap(order_node& n, std::uint32_t at) noexcept {
  std::copy_backward(n.entries + at, n.entries + n.size, n.entries + n.size + 1);
  if (n.is_leaf == 0) {
    order_inner& in = inner(&n);
    std::copy_backward(in.children + at, in.children + n.size, in.children + n.size + 1);
    std::copy_backward(in.counts + at, in.counts + n.size, in.counts + n.size + 1);
  }
  ++n.size;
}

void close_gap(order_node& n, std::uint32_t at) noexcept {
  std::copy(n.entries + at + 1, n.entries + n.size, n.entries + at);
  if (n.is_leaf == 0) {
    order_inner& in = inner(&n);
    std::copy(in.children + at + 1, in.children + n.size, in.children + at);
    std::copy(in.counts + at + 1, in.counts + n.size, in.counts + at);
  }
  --n.size;
}

/// Appends the entries of `from` from position `first` on.
void append(order_node& to, const order_node& from, std::uint32_t first) noexcept {
  std::copy(from.entries + first, from.entries + from.size, to.entries + to.size);
  if (to.is_leaf == 0) {
    const order_inner& in = inner(&from);
    std::copy(in.children + first, in.children + from.size, inner(&to).children + to.size);
    std::copy(in.counts + first, in.counts + from.size, inner(&to).counts + to.size);
  }
  to.size += from.size - first;
}

void put_child(order_node& n, std::uint32_t at, order_node* child) noexcept {
  open_gap(n, at);
  n.entries[at] = child->entries[0];
  inner(&n).children[at] = child;
  inner(&n).counts[at] = static_cast<std::uint32_t>(subtree_size(child));
}

} // namespace

namespace {

/// The order of a record's further values against those of a probe, as far as it has any.
int compare_rest(const record_block& block, std::span<const std::uint32_t> more,
                 std::span<const key_view> rest) noexcept {
  for (std::size_t i = 0; i < rest.size(); ++i)
    if (const int c = compare(key_view::of(block, more[i]), rest[i]); c != 0)
      return c;
  return 0;
}

} // namespace

bool entry_order::less_by_value(const order_entry& e, const order_probe& p) const noexcept {
  const record_block* block = newest_at(rows->head(e.row), seq);
  int c = compare(key_view::of(*block, slot_number), p.key);
  if (c == 0)
    c = compare_rest(*block, more, p.rest);
  return c != 0 ? c < 0 : e.row < p.row;
}

bool entry_order::same_value(const order_entry& e, const order_probe& p) const noexcept {
  if (p.rest.size() != more.size())
    return false;
  const record_block* block = newest_at(rows->head(e.row), seq);
  return compare(key_view::of(*block, slot_number), p.key) == 0 &&
         compare_rest(*block, more, p.rest) == 0;
}

std::uint64_t subtree_size(const order_node* n) noexcept {
  if (n == nullptr)
    return 0;
  if (n->is_leaf != 0)
    return n->size;
  std::uint64_t sum = 0;
  for (std::uint32_t i = 0; i < n->size; ++i)
    sum += inner(n).counts[i];
  return sum;
}

std::size_t subtree_bytes(const order_node* n) noexcept {
  if (n == nullptr)
    return 0;
  std::size_t sum = node_bytes(*n);
  if (n->is_leaf == 0)
    for (std::uint32_t i = 0; i < n->size; ++i)
      sum += subtree_bytes(inner(n).children[i]);
  return sum;
}

std::uint64_t rank_of(const order_node* n, const order_probe& p,
                      const entry_order& order) noexcept {
  std::uint64_t before = 0;
  if (n == nullptr)
    return 0;
  while (n->is_leaf == 0) {
    const std::uint32_t i = child_for(*n, p, order);
    for (std::uint32_t k = 0; k < i; ++k)
      before += inner(n).counts[k];
    n = inner(n).children[i];
  }
  return before + lower_bound(*n, p, order);
}

order_node* order_tree::make(bool leaf) {
  if (fresh_.size() == fresh_.capacity())
    fresh_.reserve(2 * fresh_.size() + 16);
  void* memory = memory_.allocate(leaf ? sizeof(order_node) : sizeof(order_inner));
  auto* n = static_cast<order_node*>(memory);
  n->birth = edit_;
  n->size = 0;
  n->is_leaf = leaf ? 1 : 0;
  fresh_.push_back(n);
  bytes_ += node_bytes(*n);
  return n;
}

/// A node that may be edited: `n` itself if the current operation made it, or a copy.
order_node* order_tree::own(order_node* n) {
  if (n->birth == edit_)
    return n;
  order_node* copy = make(n->is_leaf != 0);
  append(*copy, *n, 0);
  discard(n);
  return copy;
}

/// A node left the tree. What this operation made stays in `fresh_` until the end.
void order_tree::discard(order_node* n) {
  if (n->birth != edit_)
    replaced_.push_back(n);
  bytes_ -= node_bytes(*n);
  if (n->birth == edit_)
    n->size = capacity + 1; // marks it for `seal`
}

order_node* order_tree::split_leaf(order_node* n, std::uint32_t at) {
  // Appending in order leaves full nodes behind.
  const std::uint32_t cut = at == capacity ? capacity : capacity / 2;
  order_node* right = make(true);
  append(*right, *n, cut);
  n->size = cut;
  return right;
}

order_node* order_tree::split_inner(order_node* n, std::uint32_t at) {
  const std::uint32_t cut = at == capacity ? capacity - 1 : capacity / 2;
  order_node* right = make(false);
  append(*right, *n, cut);
  n->size = cut;
  return right;
}

/// Inserts below `n`, which becomes owned; a new right sibling of it if it was split, or null.
order_node* order_tree::insert_below(order_node*& n, const order_probe& p) {
  n = own(n);
  const order_entry entry{p.prefix, p.row};
  if (n->is_leaf != 0) {
    std::uint32_t i = lower_bound(*n, p, order_);
    order_node* right = nullptr;
    order_node* into = n;
    if (n->size == capacity) {
      right = split_leaf(n, i);
      if (right->size == 0 || i > n->size) {
        into = right;
        i -= n->size;
      }
    }
    open_gap(*into, i);
    into->entries[i] = entry;
    return right;
  }
  const std::uint32_t i = child_for(*n, p, order_);
  order_inner& in = inner(n);
  order_node* sibling = insert_below(in.children[i], p);
  in.entries[i] = in.children[i]->entries[0];
  if (sibling == nullptr) {
    ++in.counts[i];
    return nullptr;
  }
  in.counts[i] = in.counts[i] + 1 - static_cast<std::uint32_t>(subtree_size(sibling));
  if (n->size < capacity) {
    put_child(*n, i + 1, sibling);
    return nullptr;
  }
  order_node* right = split_inner(n, i + 1);
  if (i + 1 > n->size)
    put_child(*right, i + 1 - n->size, sibling);
  else
    put_child(*n, i + 1, sibling);
  return right;
}

template <class F>
void order_tree::with_probe(const record_block& block, std::uint64_t row, F&& f) {
  if (more_.empty())
    return f(order_probe(order_.kind, key_view::of(block, order_.slot_number), row));
  std::array<key_view, max_index_fields> keys;
  keys[0] = key_view::of(block, order_.slot_number);
  for (std::size_t i = 0; i < more_.size(); ++i)
    keys[i + 1] = key_view::of(block, more_[i]);
  f(order_probe(order_.kind, std::span(keys).first(more_.size() + 1), row));
}

void order_tree::insert(const record_block& block, std::uint64_t row) {
  if (kind() == index_kind::part) {
    for (const value_part each : parts_of(block, slot_number()))
      insert_at(part_probe(each, row));
    return;
  }
  with_probe(block, row, [&](const order_probe& p) { insert_at(p); });
}

void order_tree::insert_at(const order_probe& p) {
  if (root_ == nullptr)
    root_ = make(true);
  order_node* sibling = insert_below(root_, p);
  if (sibling == nullptr)
    return;
  order_node* top = make(false);
  put_child(*top, 0, root_);
  put_child(*top, 1, sibling);
  root_ = top;
}

void order_tree::erase(const record_block& block) {
  if (kind() == index_kind::part) {
    for (const value_part each : parts_of(block, slot_number()))
      erase_at(part_probe(each, block.row));
    return;
  }
  with_probe(block, block.row, [&](const order_probe& p) { erase_at(p); });
}

void order_tree::replace_parts(const record_block& old, const record_block& fresh,
                               std::uint64_t row) {
  const auto before = parts_of(old, slot_number()), after = parts_of(fresh, slot_number());
  for (const value_part each : before)
    if (!std::ranges::binary_search(after, each))
      erase_at(part_probe(each, row));
  for (const value_part each : after)
    if (!std::ranges::binary_search(before, each))
      insert_at(part_probe(each, row));
}

void order_tree::erase_at(const order_probe& p) {
  erase_below(root_, p);
  collapse();
}

void order_tree::erase_below(order_node*& n, const order_probe& p) {
  n = own(n);
  if (n->is_leaf != 0) {
    close_gap(*n, lower_bound(*n, p, order_));
    return;
  }
  const std::uint32_t i = child_for(*n, p, order_);
  order_inner& in = inner(n);
  erase_below(in.children[i], p);
  --in.counts[i];
  mend(n, i);
}

/// After an entry left child `i` of an owned node: removes an empty child, merges a small one.
void order_tree::mend(order_node* parent, std::uint32_t i) {
  order_inner& in = inner(parent);
  order_node* child = in.children[i];
  if (child->size == 0) {
    discard(child);
    close_gap(*parent, i);
    return;
  }
  in.entries[i] = child->entries[0];
  if (child->size >= least_fill)
    return;
  if (i + 1 < parent->size && child->size + in.children[i + 1]->size <= merged_fill)
    merge(parent, i);
  else if (i > 0 && child->size + in.children[i - 1]->size <= merged_fill)
    merge(parent, i - 1);
}

void order_tree::merge(order_node* parent, std::uint32_t left) {
  order_inner& in = inner(parent);
  in.children[left] = own(in.children[left]);
  append(*in.children[left], *in.children[left + 1], 0);
  in.counts[left] += in.counts[left + 1];
  discard(in.children[left + 1]);
  close_gap(*parent, left + 1);
}

void order_tree::collapse() {
  while (root_ != nullptr && (root_->size == 0 || (root_->is_leaf == 0 && root_->size == 1))) {
    order_node* below = root_->size == 0 ? nullptr : inner(root_).children[0];
    discard(root_);
    root_ = below;
  }
}

void order_tree::clear() {
  if (root_ != nullptr)
    discard_below(root_);
  root_ = nullptr;
}

void order_tree::discard_below(order_node* n) {
  if (n->is_leaf == 0)
    for (std::uint32_t i = 0; i < n->size; ++i)
      discard_below(inner(n).children[i]);
  discard(n);
}

void order_tree::rollback() noexcept {
  for (order_node* n : fresh_)
    memory_.free(n, node_bytes(*n));
  fresh_.clear();
  replaced_.clear();
  root_ = sealed_;
  bytes_ = bytes();
}

void order_tree::seal() noexcept {
  for (order_node* n : fresh_)
    if (n->size > capacity)
      memory_.free(n, node_bytes(*n));
  fresh_.clear();
  replaced_.clear();
  sealed_ = root_;
  seal_bytes();
}

std::vector<order_entry> order_tree::sorted_parts(std::span<record_block* const> blocks) const {
  std::vector<order_entry> entries;
  for (const record_block* b : blocks)
    for (const value_part each : parts_of(*b, slot_number()))
      entries.push_back({each, b->row});
  std::ranges::sort(entries, {}, [](const order_entry& e) { return std::pair{e.prefix, e.row}; });
  return entries;
}

std::vector<order_entry> order_tree::sorted(std::span<record_block* const> blocks) const {
  if (kind() == index_kind::part)
    return sorted_parts(blocks);
  struct item {
    order_entry entry;
    const record_block* block;
  };
  std::vector<item> items;
  items.reserve(blocks.size());
  for (const record_block* b : blocks)
    items.push_back({{prefix_of(order_.kind, key_view::of(*b, order_.slot_number)), b->row}, b});
  std::sort(items.begin(), items.end(), [&](const item& a, const item& b) {
    if (a.entry.prefix != b.entry.prefix)
      return a.entry.prefix < b.entry.prefix;
    const key_view ka = key_view::of(*a.block, order_.slot_number);
    if (!prefix_decides(order_.kind, ka))
      if (const int c = compare(ka, key_view::of(*b.block, order_.slot_number)); c != 0)
        return c < 0;
    for (const std::uint32_t slot : more_)
      if (const int c = compare(key_view::of(*a.block, slot), key_view::of(*b.block, slot)); c != 0)
        return c < 0;
    return a.entry.row < b.entry.row;
  });
  std::vector<order_entry> entries;
  entries.reserve(items.size());
  for (const item& i : items)
    entries.push_back(i.entry);
  return entries;
}

void order_tree::build(const std::vector<order_entry>& entries) {
  // Some room in each node, so that the first inserts do not split every one.
  constexpr std::uint32_t fill = capacity / 8 * 7;
  std::vector<order_node*> level;
  for (std::size_t at = 0; at < entries.size(); at += fill) {
    order_node* n = make(true);
    n->size = static_cast<std::uint32_t>(std::min<std::size_t>(fill, entries.size() - at));
    std::copy_n(entries.data() + at, n->size, n->entries);
    level.push_back(n);
  }
  while (level.size() > 1) {
    std::vector<order_node*> above;
    for (std::size_t at = 0; at < level.size(); at += fill) {
      order_node* n = make(false);
      for (std::size_t i = at; i < std::min(level.size(), at + fill); ++i)
        put_child(*n, n->size, level[i]);
      above.push_back(n);
    }
    level = std::move(above);
  }
  root_ = level.empty() ? nullptr : level.front();
}

void order_tree::rewind(order_node* root, std::uint64_t seq) noexcept {
  free_younger(root_, seq);
  root_ = sealed_ = root;
  bytes_ = subtree_bytes(root);
  seal_bytes();
}

/// A child is never younger than its parent, so what is old enough is so with all below it.
void order_tree::free_younger(order_node* n, std::uint64_t seq) noexcept {
  if (n == nullptr || n->birth <= seq)
    return;
  if (n->is_leaf == 0)
    for (std::uint32_t i = 0; i < n->size; ++i)
      free_younger(inner(n).children[i], seq);
  memory_.free(n, node_bytes(*n));
}

} // namespace holdfast::detail
