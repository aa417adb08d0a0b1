#include <holdfast/store/detail/index_key.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace holdfast::detail {

namespace {

constexpr double two_to_53 = 9007199254740992.0;
constexpr double two_to_63 = 9223372036854775808.0;
constexpr std::uint64_t sign_bit = std::uint64_t{1} << 63;
constexpr std::size_t prefix_text_bytes = 7;
constexpr std::uint64_t longer = prefix_text_bytes + 2;

int sign(bool less, bool greater) noexcept { return less ? -1 : greater ? 1 : 0; }

/// Where a type stands in the total order.
int type_rank(slot_tag tag) noexcept {
  switch (tag) {
  case slot_tag::null:
    return 0;
  case slot_tag::boolean:
    return 1;
  case slot_tag::integer:
  case slot_tag::real:
    return 2;
  case slot_tag::short_text:
  case slot_tag::text:
  case slot_tag::array:
  case slot_tag::object:
    return 3;
  }
  return 3;
}

int type_rank(index_kind kind) noexcept {
  switch (kind) {
  case index_kind::boolean:
    return 1;
  case index_kind::integer:
  case index_kind::number:
    return 2;
  case index_kind::text:
  case index_kind::part: // which no value is looked up by
    return 3;
  }
  return 3;
}

int compare_reals(double a, double b) noexcept {
  if (std::isnan(a) || std::isnan(b))
    return sign(std::isnan(b) && !std::isnan(a), std::isnan(a) && !std::isnan(b));
  return sign(a<b, a> b);
}

int compare_mixed(std::int64_t a, double b) noexcept {
  if (std::isnan(b) || b >= two_to_63)
    return -1;
  if (b < -two_to_63)
    return 1;
  const auto whole = static_cast<std::int64_t>(b);
  if (a != whole)
    return sign(a<whole, a> whole);
  const double rest = b - static_cast<double>(whole);
  return sign(rest > 0, rest < 0);
}

std::uint64_t integer_prefix(std::int64_t v) noexcept {
  return static_cast<std::uint64_t>(v) ^ sign_bit;
}

/// Of the greatest integer that is not above `v`.
std::uint64_t integer_prefix(double v) noexcept {
  if (std::isnan(v) || v >= two_to_63)
    return ~std::uint64_t{0};
  return v < -two_to_63 ? 0 : integer_prefix(static_cast<std::int64_t>(std::floor(v)));
}

std::uint64_t real_prefix(double v) noexcept {
  if (std::isnan(v))
    v = std::numeric_limits<double>::quiet_NaN();
  const auto bits = std::bit_cast<std::uint64_t>(v == 0 ? 0.0 : v);
  return (bits & sign_bit) != 0 ? ~bits : bits | sign_bit;
}

/// Seven bytes, then the length plus 1, or `longer`: "a" < "a\0", and the empty text is above null.
std::uint64_t text_prefix(std::string_view text) noexcept {
  char bytes[8] = {};
  if (!text.empty())
    std::memcpy(bytes, text.data(), std::min(text.size(), prefix_text_bytes));
  std::uint64_t word;
  std::memcpy(&word, bytes, 8);
  if constexpr (std::endian::native == std::endian::little)
    word = __builtin_bswap64(word);
  return word | (text.size() > prefix_text_bytes ? longer : text.size() + 1);
}

std::uint64_t read8(const char* p) noexcept {
  std::uint64_t x;
  std::memcpy(&x, p, 8);
  return x;
}

std::uint64_t read4(const char* p) noexcept {
  std::uint32_t x;
  std::memcpy(&x, p, 4);
  return x;
}

std::uint64_t multiply(std::uint64_t a, std::uint64_t b) noexcept {
  __extension__ using wide = unsigned __int128;
  const wide r = static_cast<wide>(a) * b;
  return static_cast<std::uint64_t>(r) ^ static_cast<std::uint64_t>(r >> 64);
}

} // namespace

int compare(const key_view& a, const key_view& b) noexcept {
  const int ra = type_rank(a.tag), rb = type_rank(b.tag);
  if (ra != rb)
    return sign(ra<rb, ra> rb);
  if (ra == 3) {
    const int c = a.text.compare(b.text);
    return sign(c<0, c> 0);
  }
  const bool real_a = a.tag == slot_tag::real, real_b = b.tag == slot_tag::real;
  if (real_a)
    return real_b ? compare_reals(a.real, b.real) : -compare_mixed(b.integer, a.real);
  if (real_b)
    return compare_mixed(a.integer, b.real);
  return sign(a.integer<b.integer, a.integer> b.integer);
}

// In the manner of wyhash.
std::uint64_t hash_of(std::string_view text) noexcept {
  const char* p = text.data();
  const std::size_t n = text.size();
  std::uint64_t h = 0xa0761d6478bd642fULL ^ n, a = 0, b = 0;
  if (n > 16) {
    std::size_t rest = n;
    for (; rest > 16; rest -= 16, p += 16)
      h = multiply(read8(p) ^ 0xe7037ed1a0b428dbULL, read8(p + 8) ^ h);
    a = read8(p + rest - 16);
    b = read8(p + rest - 8);
  } else if (n >= 4) {
    const std::size_t middle = n / 8 * 4;
    a = read4(p) << 32 | read4(p + middle);
    b = read4(p + n - 4) << 32 | read4(p + n - 4 - middle);
  } else if (n > 0) {
    const auto byte = [&](std::size_t i) {
      return std::uint64_t{static_cast<unsigned char>(p[i])};
    };
    a = byte(0) << 16 | byte(n / 2) << 8 | byte(n - 1);
  }
  return multiply(0x8ebc6af09c88c6e3ULL ^ n, multiply(a ^ 0x589965cc75374cc3ULL, b ^ h));
}

std::uint64_t hash_of(std::int64_t integer) noexcept {
  const auto x = static_cast<std::uint64_t>(integer);
  return multiply(0x8ebc6af09c88c6e3ULL,
                  multiply(x ^ 0x589965cc75374cc3ULL, x ^ 0xe7037ed1a0b428dbULL) ^ x);
}

std::uint64_t hash_of(const key_view& key) noexcept {
  switch (key.tag) {
  case slot_tag::null:
    return 0;
  case slot_tag::boolean:
  case slot_tag::integer:
    return hash_of(key.integer);
  case slot_tag::real:
    if (key.real >= -two_to_63 && key.real < two_to_63 && std::trunc(key.real) == key.real)
      return hash_of(static_cast<std::int64_t>(key.real));
    return hash_of(static_cast<std::int64_t>(real_prefix(key.real)));
  case slot_tag::short_text:
  case slot_tag::text:
  case slot_tag::array:
  case slot_tag::object:
    return hash_of(key.text);
  }
  return 0;
}

std::uint64_t prefix_of(index_kind kind, const key_view& key) noexcept {
  const int expected = type_rank(kind), actual = type_rank(key.tag);
  if (actual != expected)
    return actual < expected ? 0 : ~std::uint64_t{0};
  switch (kind) {
  case index_kind::boolean:
    return static_cast<std::uint64_t>(key.integer) + 1;
  case index_kind::integer:
    return key.tag == slot_tag::real ? integer_prefix(key.real) : integer_prefix(key.integer);
  case index_kind::number:
    return real_prefix(key.tag == slot_tag::real ? key.real : static_cast<double>(key.integer));
  case index_kind::text:
  case index_kind::part:
    return text_prefix(key.text);
  }
  return 0;
}

bool prefix_decides(index_kind kind, const key_view& key) noexcept {
  // Null has prefix 0 to itself but for the least integer.
  if (key.tag == slot_tag::null)
    return kind != index_kind::integer;
  if (type_rank(key.tag) != type_rank(kind))
    return false;
  switch (kind) {
  case index_kind::boolean:
    return true;
  case index_kind::integer:
    return key.tag == slot_tag::integer && key.integer != std::numeric_limits<std::int64_t>::min();
  case index_kind::number: {
    const double v = key.tag == slot_tag::real ? key.real : static_cast<double>(key.integer);
    return std::fabs(v) < two_to_53;
  }
  case index_kind::text:
  case index_kind::part:
    return key.text.size() <= prefix_text_bytes;
  }
  return false;
}

} // namespace holdfast::detail
