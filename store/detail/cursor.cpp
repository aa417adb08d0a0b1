#include <holdfast/store/detail/cursor.hpp>

#include <array>
#include <bit>
#include <cmath>
#include <optional>
#include <span>

// A cursor, in base64 with the alphabet of URLs and without padding:
//     format:   byte       3
//     scope:    fixed32    hash of the bucket's identity and of the order
//     row:      fixed64
//     values:   value...   one per term of the order
//     checksum: fixed32    of all bytes above, see `checksum`
// A value:
//     kind:     byte       0 null, 1 false, 2 true, 3 integer, 4 real, 5 text
//     content:  fixed64 of an integer or real; fixed32 size, then the bytes of a text; else nothing
// Fixed integers are little-endian.

namespace holdfast::detail {

namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// What each byte stands for in the alphabet; `no_digit` outside it.
constexpr std::uint8_t no_digit = 64;
constexpr auto digits = [] {
  std::array<std::uint8_t, 256> out{};
  out.fill(no_digit);
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    out[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  return out;
}();
constexpr char format = 3;
constexpr std::size_t header_size = 1 + 4 + 8;
constexpr std::size_t checksum_size = 4;

enum : char { kind_null, kind_false, kind_true, kind_integer, kind_real, kind_text };

std::uint32_t fnv1a(std::string_view bytes, std::uint32_t hash = 2166136261U) noexcept {
  for (char c : bytes)
    hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hash;
}

template <class T>
void put_fixed(std::string& out, T x) {
  std::array<char, sizeof(T)> bytes;
  for (std::size_t i = 0; i < sizeof(T); ++i)
    bytes[i] = static_cast<char>((x >> (8 * i)) & 0xff);
  out.append(bytes.data(), bytes.size());
}

template <class T>
T fixed_at(std::string_view bytes, std::size_t at) {
  T x = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i)
    x |= static_cast<T>(static_cast<T>(static_cast<unsigned char>(bytes[at + i])) << (8 * i));
  return x;
}

/// Eight bytes at a time, little-endian, the last ones filled up with zeros. Each step can be
/// undone: two texts that differ in one word have sums of 64 bits that differ.
std::uint32_t checksum(std::string_view bytes) noexcept {
  constexpr std::size_t word = sizeof(std::uint64_t);
  std::uint64_t sum = bytes.size();
  const auto add = [&](std::uint64_t x) { sum = std::rotl((sum ^ x) * 0x9e3779b97f4a7c15U, 29); };
  std::size_t at = 0;
  for (; at + word <= bytes.size(); at += word)
    add(fixed_at<std::uint64_t>(bytes, at));
  std::uint64_t rest = 0;
  for (std::size_t i = at; i < bytes.size(); ++i)
    rest |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * (i - at));
  add(rest);
  return static_cast<std::uint32_t>(sum ^ sum >> 32);
}

std::string to_base64(std::string_view bytes) {
  std::string out((bytes.size() * 4 + 2) / 3, '\0');
  auto* to = out.data();
  for (; bytes.size() >= 3; bytes.remove_prefix(3), to += 4) {
    const auto three = static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[0])) << 16 |
                       static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[1])) << 8 |
                       static_cast<unsigned char>(bytes[2]);
    to[0] = alphabet[three >> 18];
    to[1] = alphabet[three >> 12 & 63];
    to[2] = alphabet[three >> 6 & 63];
    to[3] = alphabet[three & 63];
  }
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (char c : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6)
      *to++ = alphabet[(bits >> (count - 6)) & 63];
  }
  if (count > 0)
    *to = alphabet[(bits << (6 - count)) & 63];
  return out;
}

/// The bytes of short text go into `room`, which saves an allocation; else into `spare`.
std::optional<std::string_view> from_base64(std::string_view text, std::span<char> room,
                                            std::string& spare) {
  if (const auto size = text.size() * 3 / 4; size > room.size()) {
    spare.resize(size);
    room = spare;
  }
  const auto digit_at = [&](std::size_t i) -> std::uint32_t {
    return digits[static_cast<unsigned char>(text[i])];
  };
  std::size_t size = 0;
  for (; text.size() >= 4; text.remove_prefix(4), size += 3) {
    const auto a = digit_at(0), b = digit_at(1), c = digit_at(2), d = digit_at(3);
    if (((a | b | c | d) & no_digit) != 0)
      return std::nullopt;
    const auto three = a << 18 | b << 12 | c << 6 | d;
    room[size] = static_cast<char>(three >> 16);
    room[size + 1] = static_cast<char>(three >> 8);
    room[size + 2] = static_cast<char>(three);
  }
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (char c : text) {
    const auto digit = digits[static_cast<unsigned char>(c)];
    if (digit == no_digit)
      return std::nullopt;
    bits = (bits << 6) | digit;
    count += 6;
    if (count >= 8) {
      count -= 8;
      room[size++] = static_cast<char>((bits >> count) & 0xff);
    }
  }
  // What is left over must be the zero bits that the encoder filled up with.
  if (count >= 6 || (bits & ((1U << count) - 1)) != 0)
    return std::nullopt;
  return std::string_view{room.data(), size};
}

void put_value(std::string& out, value_view x) {
  switch (x.kind()) {
  case value_kind::boolean:
    out += x.as_bool() ? kind_true : kind_false;
    return;
  case value_kind::integer:
    out += kind_integer;
    put_fixed(out, static_cast<std::uint64_t>(x.as_int()));
    return;
  case value_kind::real:
    out += kind_real;
    put_fixed(out, std::bit_cast<std::uint64_t>(x.as_double()));
    return;
  case value_kind::string:
    out += kind_text;
    put_fixed(out, static_cast<std::uint32_t>(x.as_string().size()));
    out += x.as_string();
    return;
  case value_kind::null:
  case value_kind::array: // no order is defined by these, so no walk stands at one
  case value_kind::object:
    out += kind_null;
    return;
  }
}

/// Takes `n` bytes off the front, if they are there.
std::optional<std::string_view> take(std::string_view& bytes, std::size_t n) {
  if (bytes.size() < n)
    return std::nullopt;
  auto out = bytes.substr(0, n);
  bytes.remove_prefix(n);
  return out;
}

template <class T>
std::optional<T> take_fixed(std::string_view& bytes) {
  auto taken = take(bytes, sizeof(T));
  return taken ? std::optional{fixed_at<T>(*taken, 0)} : std::nullopt;
}

std::optional<value> take_value(std::string_view& bytes) {
  auto kind = take(bytes, 1);
  switch (kind ? kind->front() : '\xff') {
  case kind_null:
    return value{};
  case kind_false:
    return value{false};
  case kind_true:
    return value{true};
  case kind_integer:
    if (auto x = take_fixed<std::uint64_t>(bytes))
      return value{static_cast<std::int64_t>(*x)};
    return std::nullopt;
  case kind_real:
    if (auto x = take_fixed<std::uint64_t>(bytes); x && !std::isnan(std::bit_cast<double>(*x)))
      return value{std::bit_cast<double>(*x)};
    return std::nullopt;
  case kind_text:
    if (auto size = take_fixed<std::uint32_t>(bytes))
      if (auto text = take(bytes, *size))
        return value{*text};
    return std::nullopt;
  default:
    return std::nullopt;
  }
}

std::optional<position> parse(std::uint32_t scope, std::size_t terms, std::string_view bytes) {
  if (bytes.size() < header_size + checksum_size || bytes[0] != format)
    return std::nullopt;
  auto body = bytes.substr(0, bytes.size() - checksum_size);
  if (fixed_at<std::uint32_t>(bytes, body.size()) != checksum(body) ||
      fixed_at<std::uint32_t>(bytes, 1) != scope)
    return std::nullopt;
  position out{{}, fixed_at<std::uint64_t>(bytes, 5)};
  out.at.reserve(terms);
  for (body.remove_prefix(header_size); out.at.size() < terms;) {
    auto x = take_value(body);
    if (!x)
      return std::nullopt;
    out.at.push_back(std::move(*x));
  }
  return body.empty() ? std::optional{std::move(out)} : std::nullopt;
}

} // namespace

std::uint32_t cursor_scope(std::uint64_t bucket, const query& q) noexcept {
  std::string_view bytes{reinterpret_cast<const char*>(&bucket), sizeof bucket};
  auto hash = fnv1a(bytes);
  for (const auto& [field, way] : q.order()) {
    hash = fnv1a(field, hash);
    hash = fnv1a(way == direction::descending ? "-" : "+", hash);
  }
  return hash;
}

std::string encode_cursor(std::uint32_t scope, const position& where) {
  std::string bytes{format};
  put_fixed(bytes, scope);
  put_fixed(bytes, where.row);
  for (const auto& x : where.at)
    put_value(bytes, x);
  put_fixed(bytes, checksum(bytes));
  return to_base64(bytes);
}

result<position> decode_cursor(std::uint32_t scope, std::size_t terms, std::string_view text) {
  std::array<char, 64> room;
  std::string spare;
  if (auto bytes = from_base64(text, room, spare))
    if (auto where = parse(scope, terms, *bytes))
      return std::move(*where);
  return fail(errc::invalid_argument, "cursor: not one of this query and this bucket, \"" +
                                          std::string{text.substr(0, 80)} + '"');
}

} // namespace holdfast::detail
