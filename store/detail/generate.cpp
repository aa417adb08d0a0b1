#include <holdfast/store/detail/generate.hpp>

#include <array>
#include <cstring>
#include <limits>

namespace holdfast::detail {

namespace {

/// The two digits of every byte.
constexpr auto hex_pairs = [] {
  std::array<char, 512> table{};
  constexpr char symbols[] = "0123456789abcdef";
  for (std::size_t i = 0; i < 256; ++i) {
    table[2 * i] = symbols[i >> 4];
    table[2 * i + 1] = symbols[i & 15];
  }
  return table;
}();

/// Writes the `bytes` lowest bytes of `word`, the highest first.
char* write_hex(char* out, std::uint64_t word, unsigned bytes) noexcept {
  for (unsigned i = bytes; i-- > 0; out += 2)
    std::memcpy(out, &hex_pairs[2 * ((word >> (8 * i)) & 0xff)], 2);
  return out;
}

} // namespace

bool generator::next(std::int64_t& number) noexcept {
  if (proposed_ == std::numeric_limits<std::int64_t>::max())
    return false;
  number = ++proposed_;
  return true;
}

void generator::write_uuid(char* out) noexcept {
  auto high = (random_->next() & ~std::uint64_t{0xf000}) | 0x4000;
  auto low = (random_->next() >> 2) | (std::uint64_t{1} << 63);
  out = write_hex(out, high >> 32, 4);
  *out++ = '-';
  out = write_hex(out, high >> 16, 2);
  *out++ = '-';
  out = write_hex(out, high, 2);
  *out++ = '-';
  out = write_hex(out, low >> 48, 2);
  *out++ = '-';
  write_hex(out, low, 6);
}

void generator::write_cuid(char* out, std::int64_t now_ms) noexcept {
  *out++ = 'c';
  out = write_hex(out, static_cast<std::uint64_t>(now_ms), 6);
  out = write_hex(out, random_->next(), 8);
  write_hex(out, random_->next(), 2);
}

} // namespace holdfast::detail
