#pragma once

#include <holdfast/store/detail/exact_sum.hpp>
#include <holdfast/store/value_view.hpp>

#include <cstdint>
#include <limits>

namespace holdfast::detail {

/// Adds numbers exactly, whatever their order: 2^63 integers of any size fit into 128 bits.
class adder {
public:
  /// Passes over what is no number. What it throws leaves it as it was.
  void add(value_view x) {
    if (x.kind() == value_kind::integer) {
      integers_ += x.as_int();
    } else if (x.kind() == value_kind::real) {
      reals_.add(x.as_double());
      ++real_count_;
    } else {
      return;
    }
    ++count_;
  }
  /// What was added.
  void remove(value_view x) noexcept {
    if (x.kind() == value_kind::integer) {
      integers_ -= x.as_int();
    } else if (x.kind() == value_kind::real) {
      reals_.remove(x.as_double());
      --real_count_;
    } else {
      return;
    }
    --count_;
  }
  std::uint64_t count() const noexcept { return count_; }

  value sum() const {
    using range = std::numeric_limits<std::int64_t>;
    if (real_count_ == 0 && integers_ >= range::min() && integers_ <= range::max())
      return static_cast<std::int64_t>(integers_);
    return total();
  }
  value mean() const {
    return count_ == 0 ? value{} : value{total() / static_cast<double>(count_)};
  }

private:
  double total() const {
    if (real_count_ == 0)
      return static_cast<double>(integers_);
    auto all = reals_;
    all.add(integers_);
    return all.rounded();
  }

  int128 integers_ = 0;
  exact_sum reals_;
  std::uint64_t real_count_ = 0;
  std::uint64_t count_ = 0;
};

} // namespace holdfast::detail
