#include <holdfast/store/detail/text_finder.hpp>

#include <array>

namespace holdfast::detail {

namespace {

constexpr bool within(char32_t c, char32_t first, char32_t last) noexcept {
  return c >= first && c <= last;
}

/// In most blocks upper and lower case take turns; `upper` is the last bit of the upper ones.
constexpr char32_t of_pair(char32_t c, char32_t upper) noexcept {
  return (c & 1) == upper ? c + 1 : c;
}

char32_t fold_latin(char32_t c) noexcept {
  if (within(c, 0xc0, 0xde))
    return c == 0xd7 ? c : c + 0x20;
  if (c == 0xb5)
    return 0x3bc; // the micro sign is a mu
  if (within(c, 0x100, 0x137))
    return c == 0x130 || c == 0x131 ? c : of_pair(c, 0); // dotted and dotless i have no fellow
  if (within(c, 0x139, 0x148) || within(c, 0x179, 0x17e))
    return of_pair(c, 1);
  if (within(c, 0x14a, 0x177))
    return of_pair(c, 0);
  if (c == 0x178)
    return 0xff;
  return c == 0x17f ? U's' : c;
}

char32_t fold_greek(char32_t c) noexcept {
  if (within(c, 0x391, 0x3ab))
    return c == 0x3a2 ? c : c + 0x20; // which is no letter
  if (c == 0x386)
    return 0x3ac;
  if (within(c, 0x388, 0x38a))
    return c + 37;
  if (c == 0x38c)
    return 0x3cc;
  if (within(c, 0x38e, 0x38f))
    return c + 63;
  return c == 0x3c2 ? 0x3c3 : c; // the sigma at the end of a word
}

char32_t fold_cyrillic(char32_t c) noexcept {
  if (c < 0x410)
    return c + 0x50;
  if (c < 0x430)
    return c + 0x20;
  if (within(c, 0x460, 0x481) || within(c, 0x48a, 0x4bf) || within(c, 0x4d0, 0x52f))
    return of_pair(c, 0);
  if (c == 0x4c0)
    return 0x4cf;
  return within(c, 0x4c1, 0x4ce) ? of_pair(c, 1) : c;
}

constexpr auto ascii = [] {
  std::array<char32_t, 128> out{};
  for (char32_t c = 0; c < out.size(); ++c)
    out[c] = within(c, U'A', U'Z') ? c + 0x20 : c;
  return out;
}();

/// Bytes that are no UTF-8 become characters that nothing else is.
constexpr char32_t stray = 0x110000;

/// Takes one character off the front of a text that is not empty.
char32_t take(const char*& at, const char* end) noexcept {
  auto byte = [](char c) { return static_cast<unsigned char>(c); };
  auto first = byte(*at++);
  if (first < 0x80)
    return first;
  auto more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
  if (first < 0xc0 || end - at < more)
    return stray + first;
  char32_t c = first & (0x3fU >> more);
  for (int i = 0; i < more; ++i) {
    if ((byte(at[i]) & 0xc0) != 0x80)
      return stray + first;
    c = c << 6 | (byte(at[i]) & 0x3fU);
  }
  at += more;
  return c;
}

char32_t take_folded(const char*& at, const char* end) noexcept {
  auto c = take(at, end);
  return c < ascii.size() ? ascii[c] : fold_case(c);
}

} // namespace

char32_t fold_case(char32_t c) noexcept {
  if (c < ascii.size())
    return ascii[c];
  if (c < 0x180)
    return fold_latin(c);
  if (within(c, 0x370, 0x3ff))
    return fold_greek(c);
  if (within(c, 0x400, 0x52f))
    return fold_cyrillic(c);
  if (within(c, 0x1e00, 0x1e95) || within(c, 0x1ea0, 0x1eff))
    return of_pair(c, 0);
  return c == 0x1e9e ? 0xdf : c; // the upper case of the sharp s
}

namespace {

void put_utf8(char32_t c, std::string& out) {
  const auto more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  constexpr unsigned char first[] = {0, 0xc0, 0xe0, 0xf0};
  out += static_cast<char>(first[more] | c >> 6 * more);
  for (int i = more - 1; i >= 0; --i)
    out += static_cast<char>(0x80 | (c >> 6 * i & 0x3f));
}

} // namespace

folded_text::folded_text(std::string_view text) {
  bytes.reserve(text.size());
  starts.reserve(text.size());
  for (const char *at = text.data(), *end = at + text.size(); at != end;) {
    starts.push_back(static_cast<std::uint32_t>(bytes.size()));
    put_utf8(take_folded(at, end), bytes);
  }
}

text_finder::text_finder(std::string_view part) {
  for (const char *at = part.data(), *end = at + part.size(); at != end;)
    part_.push_back(take_folded(at, end));
  retreat_.resize(part_.size());
  std::uint32_t same = 0;
  for (std::size_t i = 1; i < part_.size(); ++i) {
    while (same > 0 && part_[i] != part_[same])
      same = retreat_[same - 1];
    same += part_[i] == part_[same] ? 1 : 0;
    retreat_[i] = same;
  }
}

bool text_finder::in(std::string_view text) const noexcept {
  if (part_.empty())
    return true;
  std::uint32_t found = 0;
  for (const char *at = text.data(), *end = at + text.size(); at != end;) {
    auto c = take_folded(at, end);
    while (found > 0 && c != part_[found])
      found = retreat_[found - 1];
    if (c == part_[found] && ++found == part_.size())
      return true;
  }
  return false;
}

} // namespace holdfast::detail
