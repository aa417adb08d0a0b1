// The one order of all values.
#include <holdfast/store/value_view.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <vector>

namespace holdfast {

namespace {

std::weak_ordering compare_exactly(std::int64_t a, double b) noexcept {
  constexpr double limit = 9223372036854775808.0; // 2^63
  if (std::isnan(b) || b >= limit)
    return std::weak_ordering::less;
  if (b < -limit)
    return std::weak_ordering::greater;
  auto whole = static_cast<std::int64_t>(b);
  if (a != whole)
    return a <=> whole;
  // Equal up to the fraction, and a double with a fraction is far below 2^53, so this is exact.
  auto fraction = b - static_cast<double>(whole);
  return fraction > 0   ? std::weak_ordering::less
         : fraction < 0 ? std::weak_ordering::greater
                        : std::weak_ordering::equivalent;
}

std::weak_ordering compare_reals(double a, double b) noexcept {
  if (std::isnan(a) || std::isnan(b))
    return std::isnan(a) <=> std::isnan(b);
  return a < b   ? std::weak_ordering::less
         : a > b ? std::weak_ordering::greater
                 : std::weak_ordering::equivalent;
}

std::weak_ordering compare_items(value_view a, value_view b) {
  auto left = a.items().begin();
  auto right = b.items().begin();
  for (; left != std::default_sentinel && right != std::default_sentinel; ++left, ++right)
    if (auto order = *left <=> *right; order != 0)
      return order;
  return (left != std::default_sentinel) <=> (right != std::default_sentinel);
}

/// The members of an object by name; on the stack if they are few.
class sorted_members {
public:
  explicit sorted_members(value_view v) {
    auto count = v.size();
    if (count > few_.size())
      many_.resize(count);
    auto* to = count > few_.size() ? many_.data() : few_.data();
    for (auto m : v.members())
      to[size_++] = m;
    all_ = {to, size_};
    std::ranges::sort(all_, {}, &member_view::name);
  }
  std::span<const member_view> all() const noexcept { return all_; }

private:
  std::array<member_view, 16> few_;
  std::vector<member_view> many_;
  std::size_t size_ = 0;
  std::span<member_view> all_;
};

std::weak_ordering compare_members(value_view a, value_view b) {
  sorted_members sorted_a(a);
  sorted_members sorted_b(b);
  auto left = sorted_a.all();
  auto right = sorted_b.all();
  for (std::size_t i = 0; i < left.size() && i < right.size(); ++i) {
    if (auto order = left[i].name <=> right[i].name; order != 0)
      return order;
    if (auto order = left[i].content <=> right[i].content; order != 0)
      return order;
  }
  return left.size() <=> right.size();
}

} // namespace

std::weak_ordering value_view::compare_slow(value_view a, value_view b) {
  if (a.is_number() && b.is_number()) {
    if (a.kind() == b.kind())
      return a.kind() == value_kind::integer ? a.integer_ <=> b.integer_
                                             : compare_reals(a.real_, b.real_);
    return a.kind() == value_kind::integer ? compare_exactly(a.integer_, b.real_)
                                           : 0 <=> compare_exactly(b.integer_, a.real_);
  }
  if (a.kind() != b.kind())
    return a.kind() <=> b.kind();
  switch (a.kind()) {
  case value_kind::null:
    return std::weak_ordering::equivalent;
  case value_kind::boolean:
    return a.integer_ <=> b.integer_;
  case value_kind::array:
    return compare_items(a, b);
  case value_kind::object:
    return compare_members(a, b);
  case value_kind::integer:
  case value_kind::real:
  case value_kind::string:
    break;
  }
  return a.text().compare(b.text()) <=> 0;
}

} // namespace holdfast
