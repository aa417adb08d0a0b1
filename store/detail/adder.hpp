#pragma once

#include <holdfast/store/value_view.hpp>

#include <cmath>
#include <cstdint>
#include <limits>

namespace holdfast::detail {

/// Adds integers exactly (2^63 of any size fit into 128 bits) and reals with Neumaier's
/// compensation.
class adder {
public:
  void add(value_view x) noexcept {
    if (x.kind() == value_kind::integer)
      integers_ += x.as_int();
    else if (x.kind() == value_kind::real)
      add_real(x.as_double());
    else
      return;
    ++count_;
  }
  /// One of the integers that were added.
  void remove(std::int64_t x) noexcept {
    integers_ -= x;
    --count_;
  }
  std::uint64_t count() const noexcept { return count_; }

  value sum() const {
    using range = std::numeric_limits<std::int64_t>;
    if (!real_ && integers_ >= range::min() && integers_ <= range::max())
      return static_cast<std::int64_t>(integers_);
    return total();
  }
  value mean() const {
    return count_ == 0 ? value{} : value{total() / static_cast<double>(count_)};
  }

private:
  void add_real(double x) noexcept {
    real_ = true;
    double next = reals_ + x;
    if (std::isfinite(next))
      lost_ += std::abs(reals_) >= std::abs(x) ? (reals_ - next) + x : (x - next) + reals_;
    reals_ = next;
  }
  double total() const noexcept { return static_cast<double>(integers_) + (reals_ + lost_); }

  __extension__ using int128 = __int128;

  int128 integers_ = 0;
  double reals_ = 0;
  double lost_ = 0;
  bool real_ = false;
  std::uint64_t count_ = 0;
};

} // namespace holdfast::detail
