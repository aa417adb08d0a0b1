#include <holdfast/store/detail/order_cursor.hpp>

namespace holdfast::detail {

void order_cursor::seek(const order_probe& p, const entry_order& order) noexcept {
  depth_ = 0;
  if (root_ == nullptr)
    return;
  const order_node* n = root_;
  while (n->is_leaf == 0) {
    const std::uint32_t i = child_for(*n, p, order);
    push(n, i);
    n = inner(n).children[i];
  }
  push(n, lower_bound(*n, p, order));
  if (path_[depth_ - 1].at == n->size)
    next_leaf();
}

void order_cursor::seek_rank(std::uint64_t k) noexcept {
  depth_ = 0;
  if (root_ == nullptr)
    return;
  const order_node* n = root_;
  while (n->is_leaf == 0) {
    const order_inner& in = inner(n);
    std::uint32_t i = 0;
    while (i + 1 < n->size && k >= in.counts[i])
      k -= in.counts[i++];
    push(n, i);
    n = in.children[i];
  }
  push(n, static_cast<std::uint32_t>(std::min<std::uint64_t>(k, n->size)));
}

/// From behind the last entry of a leaf to the next leaf, or stays there when it is the last one.
void order_cursor::next_leaf() noexcept {
  std::uint32_t up = depth_ - 1;
  while (up > 0 && path_[up - 1].at + 1 == path_[up - 1].node->size)
    --up;
  if (up == 0)
    return;
  const std::uint32_t bottom = depth_;
  ++path_[up - 1].at;
  for (depth_ = up; depth_ < bottom;)
    push(inner(path_[depth_ - 1].node).children[path_[depth_ - 1].at], 0);
}

bool order_cursor::previous() noexcept {
  if (depth_ == 0)
    return false;
  if (path_[depth_ - 1].at > 0) {
    --path_[depth_ - 1].at;
    return true;
  }
  std::uint32_t up = depth_ - 1;
  while (up > 0 && path_[up - 1].at == 0)
    --up;
  if (up == 0)
    return false;
  const std::uint32_t bottom = depth_;
  --path_[up - 1].at;
  for (depth_ = up; depth_ < bottom;) {
    const order_node* n = inner(path_[depth_ - 1].node).children[path_[depth_ - 1].at];
    push(n, n->size - 1);
  }
  return true;
}

} // namespace holdfast::detail
