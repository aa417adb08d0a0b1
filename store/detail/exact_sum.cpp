#include <holdfast/store/detail/exact_sum.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace holdfast::detail {

namespace {

__extension__ using uint128 = unsigned __int128;

constexpr std::uint64_t mask = 0xffff'ffff;
constexpr int mantissa_bits = 52; ///< without the one that goes without saying

/// A real as an integer of so many times the least one.
struct parts {
  std::uint64_t mantissa;
  unsigned shift;
  bool negative;
};
parts parts_of(double x) noexcept {
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const auto exponent = static_cast<unsigned>(bits >> mantissa_bits & 0x7ff);
  const auto rest = bits & ((std::uint64_t{1} << mantissa_bits) - 1);
  if (exponent == 0)
    return {rest, 0, std::signbit(x)};
  return {rest | std::uint64_t{1} << mantissa_bits, exponent - 1, std::signbit(x)};
}

} // namespace

/// Whether that was all.
bool exact_sum::count_in(double x, std::int64_t times) noexcept {
  if (std::isfinite(x))
    return false;
  (std::isnan(x) ? not_numbers_ : x > 0 ? positive_ : negative_) += times;
  return true;
}

/// For digits of these places, and what they carry.
void exact_sum::make_room(std::size_t first, std::size_t last) {
  const auto end = last + 2; // 2^31 carries of one digit go into one more
  if (digits_.empty()) {
    digits_.assign(end - first, 0);
    first_ = first;
  }
  if (first_ + digits_.size() < end)
    digits_.resize(end - first_, 0);
  if (first < first_) {
    digits_.insert(digits_.begin(), first_ - first, 0);
    first_ = first;
  }
}

/// Adds a number, shifted by less than a digit, from that place on.
template <class Unsigned>
void exact_sum::put(Unsigned digits, std::size_t at, int shift, digit sign) noexcept {
  auto* to = digits_.data() + (at - first_);
  *to++ += sign * static_cast<digit>(static_cast<std::uint64_t>(digits) << shift & mask);
  for (digits >>= digit_bits - shift; digits != 0; digits >>= digit_bits)
    *to++ += sign * static_cast<digit>(static_cast<std::uint64_t>(digits) & mask);
  if (++uncarried_ == std::uint32_t{1} << (digit_bits - 2))
    carry();
}

void exact_sum::add(double x) {
  if (x == 0 || count_in(x, 1))
    return;
  const auto [mantissa, shift, negative] = parts_of(x);
  const auto at = shift / digit_bits;
  make_room(at, at + 2);
  put(mantissa, at, static_cast<int>(shift % digit_bits), negative ? -1 : 1);
}

void exact_sum::remove(double x) noexcept {
  if (x == 0 || count_in(x, -1))
    return;
  const auto [mantissa, shift, negative] = parts_of(x); // there is room since it was added
  put(mantissa, shift / digit_bits, static_cast<int>(shift % digit_bits), negative ? 1 : -1);
}

void exact_sum::add(int128 x) {
  if (x == 0)
    return;
  constexpr auto at = static_cast<std::size_t>(-least_exponent / digit_bits);
  make_room(at, at + 4);
  const auto size = x < 0 ? -static_cast<uint128>(x) : static_cast<uint128>(x);
  put(size, at, -least_exponent % digit_bits, x < 0 ? -1 : 1);
}

/// Brings all digits but the last into 0 .. 2^32-1.
void exact_sum::carry() noexcept {
  for (std::size_t i = 0; i + 1 < digits_.size(); ++i) {
    digits_[i + 1] += digits_[i] >> digit_bits;
    digits_[i] &= static_cast<digit>(mask);
  }
  uncarried_ = 0;
}

double exact_sum::rounded() const {
  if (not_numbers_ > 0 || (positive_ > 0 && negative_ > 0))
    return std::numeric_limits<double>::quiet_NaN();
  if (positive_ > 0 || negative_ > 0)
    return positive_ > 0 ? std::numeric_limits<double>::infinity()
                         : -std::numeric_limits<double>::infinity();
  return digits_.empty() ? 0 : finite();
}

/// Carries in a copy; of a negative sum that of its opposite, so that all digits are positive.
double exact_sum::finite() const {
  auto copy = *this;
  copy.digits_.push_back(0);
  copy.carry();
  const auto negative = copy.digits_.back() < 0;
  if (negative) {
    for (auto& each : copy.digits_)
      each = -each;
    copy.carry();
  }
  const auto& all = copy.digits_;
  auto top = all.size();
  while (top > 0 && all[top - 1] == 0)
    --top;
  if (top == 0)
    return 0;
  // The 64 bits from the first one on, and whether anything stands behind them.
  const auto digit_at = [&](std::size_t back) { // of the top
    return back <= top ? static_cast<std::uint64_t>(all[top - back]) : 0;
  };
  const auto zeros = std::countl_zero(static_cast<std::uint32_t>(digit_at(1)));
  const auto long_bits = (digit_at(1) << digit_bits | digit_at(2)) << zeros;
  const auto third = digit_at(3) << zeros;
  auto bits = long_bits | third >> digit_bits;
  auto more = (third & mask) != 0;
  for (std::size_t back = 4; back <= top && !more; ++back)
    more = digit_at(back) != 0;
  // Of a real 53 are kept; of those below 2^-1022 only what stands at or before 2^-1074.
  const auto last = static_cast<int>(first_ + top) * digit_bits - zeros - 64; // of the lowest bit
  const auto cut = std::max(64 - (mantissa_bits + 1), -last);
  if (cut >= 64) // nothing that is kept: there is no such sum
    return 0;
  const auto half = std::uint64_t{1} << (cut - 1);
  const auto rest = bits & ((half << 1) - 1);
  bits >>= cut;
  if (rest > half || (rest == half && (more || (bits & 1) != 0)))
    ++bits;
  const auto size = std::ldexp(static_cast<double>(bits), last + cut + least_exponent);
  return negative ? -size : size;
}

} // namespace holdfast::detail
