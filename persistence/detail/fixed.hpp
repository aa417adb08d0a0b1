#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace holdfast::detail {

// Fixed-width numbers as the journal's own formats hold them: little endian, but keys big endian so
// that they sort.

static_assert(std::endian::native == std::endian::little);

template <class Unsigned>
void append_fixed(std::string& out, Unsigned n) {
  out.append(reinterpret_cast<const char*>(&n), sizeof n);
}

/// Takes a number from the front of `in`, which must be long enough.
template <class Unsigned>
Unsigned take_fixed(std::string_view& in) {
  Unsigned n;
  std::memcpy(&n, in.data(), sizeof n);
  in.remove_prefix(sizeof n);
  return n;
}

inline std::string big_endian(std::uint64_t n) {
  n = __builtin_bswap64(n);
  return {reinterpret_cast<const char*>(&n), sizeof n};
}

/// CRC-32C (Castagnoli) of `bytes`. A byte at a time: for small things only.
constexpr std::uint32_t crc32c(std::string_view bytes) noexcept {
  std::uint32_t crc = ~0u;
  for (char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc >> 1) ^ (0x82f63b78u & (0u - (crc & 1u)));
  }
  return ~crc;
}
static_assert(crc32c("123456789") == 0xe3069283u);

} // namespace holdfast::detail
