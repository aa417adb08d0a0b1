#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace holdfast::detail {

__extension__ using int128 = __int128;

/// The exact sum of reals and integers, rounded only when it is asked for: so it does not depend on
/// the order in which they were added, and each can be taken away again.
///
/// A sum is a number of fixed point, long enough for every real: digits in base 2^32, kept with a
/// sign each and more room than they need, so that additions need not carry (R. M. Neal, "Fast
/// exact summation using small and large superaccumulators", 2015). Only the digits between the
/// least and the greatest that have occurred are there, as a rule three or four. An addition is
/// O(1), what it throws leaves the sum as it was. Values that are not finite are counted.
class exact_sum {
public:
  /// Throws `std::bad_alloc`.
  void add(double x);
  void add(int128 x);
  /// One that was added.
  void remove(double x) noexcept;

  /// The real nearest to the sum, of two the one that is even; an infinity if it is beyond all.
  double rounded() const;

private:
  /// The last digit of the first is worth 2^-1074, that of the least real.
  static constexpr int digit_bits = 32;
  static constexpr int least_exponent = -1074;
  using digit = std::int64_t;

  bool count_in(double x, std::int64_t times) noexcept;
  void make_room(std::size_t first, std::size_t last);
  template <class Unsigned>
  void put(Unsigned digits, std::size_t at, int shift, digit sign) noexcept;
  void carry() noexcept;
  double finite() const;

  std::vector<digit> digits_;
  std::size_t first_ = 0;       ///< which digit the first of these is
  std::uint32_t uncarried_ = 0; ///< additions since the digits were in order
  std::int64_t positive_ = 0, negative_ = 0, not_numbers_ = 0; ///< infinities; NaN
};

} // namespace holdfast::detail
