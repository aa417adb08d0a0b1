#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

/// Protobuf's wire format, as far as the record codec needs it. Inline: this is the hot path of
/// every durable commit and of every restore.
namespace holdfast::detail::wire {

static_assert(std::endian::native == std::endian::little, "fixed numbers are copied as they are");

enum type : std::uint32_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

constexpr std::uint32_t tag(std::uint32_t field, type t) noexcept { return field << 3 | t; }

constexpr std::uint64_t zigzag(std::int64_t n) noexcept {
  return (static_cast<std::uint64_t>(n) << 1) ^ static_cast<std::uint64_t>(n >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t n) noexcept {
  return static_cast<std::int64_t>(n >> 1) ^ -static_cast<std::int64_t>(n & 1);
}

constexpr std::size_t varint_size(std::uint64_t n) noexcept {
  return (static_cast<std::size_t>(std::bit_width(n | 1)) + 6) / 7;
}

inline char* put_varint(char* out, std::uint64_t n) noexcept {
  for (; n >= 0x80; n >>= 7)
    *out++ = static_cast<char>(n | 0x80);
  *out++ = static_cast<char>(n);
  return out;
}

template <class T>
char* put_fixed(char* out, T number) noexcept {
  std::memcpy(out, &number, sizeof number);
  return out + sizeof number;
}

inline char* put_bytes(char* out, std::string_view text) noexcept {
  out = put_varint(out, text.size());
  if (!text.empty())
    std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

/// Reads the fields of one message. Every `take_` is false, and the reader spent, if the bytes end
/// too early or are not of the shortest form that a writer produces.
class reader {
public:
  explicit reader(std::string_view message) noexcept
      : at_(message.data()), end_(message.data() + message.size()) {}

  bool done() const noexcept { return at_ == end_; }

  bool take_varint(std::uint64_t& n) noexcept {
    if (at_ != end_ && static_cast<unsigned char>(*at_) < 0x80) {
      n = static_cast<unsigned char>(*at_++);
      return true;
    }
    n = 0;
    for (unsigned shift = 0; shift < 64 && at_ != end_; shift += 7) {
      auto byte = static_cast<unsigned char>(*at_++);
      n |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80)
        return byte != 0 && (shift < 63 || byte == 1);
    }
    return false;
  }

  bool take_uint32(std::uint32_t& n) noexcept {
    std::uint64_t wide = 0;
    if (!take_varint(wide) || wide > ~std::uint32_t{0})
      return false;
    n = static_cast<std::uint32_t>(wide);
    return true;
  }

  bool take_bool(bool& b) noexcept {
    std::uint64_t n = 0;
    if (!take_varint(n) || n > 1)
      return false;
    b = n == 1;
    return true;
  }

  template <class T>
  bool take_fixed(T& number) noexcept {
    if (static_cast<std::size_t>(end_ - at_) < sizeof number)
      return false;
    std::memcpy(&number, at_, sizeof number);
    at_ += sizeof number;
    return true;
  }

  bool take_bytes(std::string_view& text) noexcept {
    std::uint64_t size = 0;
    if (!take_varint(size) || size > static_cast<std::size_t>(end_ - at_))
      return false;
    text = {at_, static_cast<std::size_t>(size)};
    at_ += size;
    return true;
  }

private:
  const char* at_;
  const char* end_;
};

} // namespace holdfast::detail::wire
