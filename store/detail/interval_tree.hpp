#pragma once

#include <holdfast/store/value_view.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace holdfast::detail {

/// Values from one to another, both included unless that end is open; without an end there it goes
/// on for ever.
struct value_interval {
  std::optional<value> from = {};
  std::optional<value> to = {};
  bool open_from = false;
  bool open_to = false;

  bool contains(value_view x) const noexcept { return !begins_behind(x) && !ends_before(x); }
  bool begins_behind(value_view x) const noexcept {
    return from && (open_from ? x <= value_view{*from} : x < value_view{*from});
  }
  bool ends_before(value_view x) const noexcept {
    return to && (open_to ? x >= value_view{*to} : x > value_view{*to});
  }
};

/// Intervals with a `T` for each, that say which of them contain a value. Ordered by where they
/// begin; each node knows which one below it ends last, and nodes are balanced by priorities drawn
/// at random (a treap: Aragon and Seidel, "Randomized search trees", 1989; for the ends, Cormen et
/// al., "Introduction to Algorithms", interval trees).
///
/// Expected cost, of n intervals: O(log n) to find or add one, O(log n + k log n) for the k that
/// contain a value. A `T` stays where it is. Not thread-safe.
template <class T>
class interval_tree {
public:
  /// What belongs to an interval; made if there is none. Throws `std::bad_alloc`, then nothing has
  /// changed.
  T& operator[](const value_interval& over) { return put(root_, over); }
  /// Calls `f(interval, T&)` for those that contain `x`.
  template <class F>
  void each_with(value_view x, F&& f) {
    visit(root_.get(), x, f);
  }
  /// Takes those out for whose content `gone(const T&)` holds. O(n).
  template <class F>
  void erase_if(F&& gone) {
    root_ = sifted(std::move(root_), gone);
  }
  bool empty() const noexcept { return root_ == nullptr; }

private:
  struct node;
  using owner = std::unique_ptr<node>;
  struct node {
    node(const value_interval& o, std::uint64_t p) : over{o}, furthest{&over}, priority{p} {}
    const value_interval over;
    const value_interval* furthest; ///< of this and those below, the one that ends last
    const std::uint64_t priority;   ///< at least that of those below
    T content{};
    owner left{};
    owner right{};
  };

  static int compare(value_view a, value_view b) noexcept { return a < b ? -1 : a > b ? 1 : 0; }
  static int compare_from(const value_interval& a, const value_interval& b) noexcept {
    if (!a.from || !b.from)
      return (a.from ? 1 : 0) - (b.from ? 1 : 0);
    const auto c = compare(*a.from, *b.from);
    return c != 0 ? c : (a.open_from ? 1 : 0) - (b.open_from ? 1 : 0);
  }
  static int compare_to(const value_interval& a, const value_interval& b) noexcept {
    if (!a.to || !b.to)
      return (a.to ? 0 : 1) - (b.to ? 0 : 1);
    const auto c = compare(*a.to, *b.to);
    return c != 0 ? c : (a.open_to ? 0 : 1) - (b.open_to ? 0 : 1);
  }

  static void update(node& n) noexcept {
    n.furthest = &n.over;
    for (auto* below : {n.left.get(), n.right.get()})
      if (below && compare_to(*below->furthest, *n.furthest) > 0)
        n.furthest = below->furthest;
  }
  /// Puts the node on that side above its parent.
  static void raise(owner& at, owner node::*side, owner node::*other) noexcept {
    auto up = std::move((*at).*side);
    (*at).*side = std::move((*up).*other);
    update(*at);
    (*up).*other = std::move(at);
    at = std::move(up);
  }
  T& put(owner& at, const value_interval& over) {
    if (!at) {
      at = std::make_unique<node>(over, next_priority());
      return at->content;
    }
    auto c = compare_from(over, at->over);
    if (c == 0)
      c = compare_to(over, at->over);
    if (c == 0)
      return at->content;
    const auto side = c < 0 ? &node::left : &node::right;
    auto& content = put((*at).*side, over);
    if (((*at).*side)->priority > at->priority)
      raise(at, side, c < 0 ? &node::right : &node::left);
    update(*at);
    return content;
  }
  template <class F>
  static void visit(node* n, value_view x, F& f) {
    for (; n && !n->furthest->ends_before(x); n = n->right.get()) {
      visit(n->left.get(), x, f);
      if (n->over.begins_behind(x))
        return; // and so do those on the right
      if (!n->over.ends_before(x))
        f(n->over, n->content);
    }
  }
  template <class F>
  static owner sifted(owner n, F& gone) {
    if (!n)
      return nullptr;
    n->left = sifted(std::move(n->left), gone);
    n->right = sifted(std::move(n->right), gone);
    if (gone(std::as_const(n->content)))
      return joined(std::move(n->left), std::move(n->right));
    update(*n);
    return n;
  }
  /// All of `a` begins before `b`.
  static owner joined(owner a, owner b) noexcept {
    if (!a || !b)
      return a ? std::move(a) : std::move(b);
    auto& above = a->priority >= b->priority ? a : b;
    if (&above == &a)
      a->right = joined(std::move(a->right), std::move(b));
    else
      b->left = joined(std::move(a), std::move(b->left));
    update(*above);
    return std::move(above);
  }
  /// Xorshift (Marsaglia, 2003).
  std::uint64_t next_priority() noexcept {
    random_ ^= random_ << 13;
    random_ ^= random_ >> 7;
    return random_ ^= random_ << 17;
  }

  owner root_;
  std::uint64_t random_ = 0x9e37'79b9'7f4a'7c15;
};

} // namespace holdfast::detail
