#include <holdfast/store/detail/formats.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace holdfast::detail {

namespace {

std::uint64_t load8(const char* at) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, at, 8);
  return word;
}

constexpr std::uint64_t high_bits = 0x8080808080808080;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_blank_or_control(char c) noexcept {
  return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
}

bool has_blank_or_control(std::string_view text) noexcept {
  // Eight bytes at a time: is any below 0x21, or 0x7f? Bytes above 0x7f are neither.
  constexpr std::uint64_t ones = 0x0101010101010101;
  auto* p = text.data();
  auto left = text.size();
  for (; left >= 8; left -= 8, p += 8) {
    auto word = load8(p);
    auto del = word ^ (ones * 0x7f);
    if (((word - ones * 0x21) & ~word & high_bits) != 0 || ((del - ones) & ~del & high_bits) != 0)
      return true;
  }
  for (; left > 0; --left, ++p)
    if (is_blank_or_control(*p))
      return true;
  return false;
}

/// The length of the code point at `p`, 0 if it is malformed.
std::size_t code_point_at(const unsigned char* p, std::size_t left) noexcept {
  auto follows = [&](std::size_t i) { return i < left && (p[i] & 0xc0) == 0x80; };
  if (p[0] < 0x80)
    return 1;
  if (p[0] < 0xc2)
    return 0;
  if (p[0] < 0xe0)
    return follows(1) ? 2 : 0;
  if (p[0] < 0xf0) {
    if (!follows(1) || !follows(2) || (p[0] == 0xe0 && p[1] < 0xa0) ||
        (p[0] == 0xed && p[1] >= 0xa0))
      return 0;
    return 3;
  }
  if (p[0] > 0xf4 || !follows(1) || !follows(2) || !follows(3) || (p[0] == 0xf0 && p[1] < 0x90) ||
      (p[0] == 0xf4 && p[1] >= 0x90))
    return 0;
  return 4;
}

} // namespace

bool is_ascii(std::string_view text) noexcept {
  auto* p = text.data();
  auto size = text.size();
  if (size >= 8) {
    std::uint64_t seen = load8(p + size - 8);
    for (std::size_t i = 0; i + 8 <= size; i += 8)
      seen |= load8(p + i);
    return (seen & high_bits) == 0;
  }
  unsigned char seen = 0;
  for (char c : text)
    seen = static_cast<unsigned char>(seen | static_cast<unsigned char>(c));
  return seen < 0x80;
}

bool is_utf8(std::string_view text) noexcept {
  if (is_ascii(text))
    return true;
  auto* p = reinterpret_cast<const unsigned char*>(text.data());
  for (std::size_t i = 0; i < text.size();) {
    auto length = code_point_at(p + i, text.size() - i);
    if (length == 0)
      return false;
    i += length;
  }
  return true;
}

std::size_t code_points(std::string_view text) noexcept {
  std::size_t count = 0;
  for (char c : text)
    count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return count;
}

bool is_email(std::string_view text) noexcept {
  auto at = text.find('@');
  if (at == std::string_view::npos || at == 0 || has_blank_or_control(text))
    return false;
  auto domain = text.substr(at + 1);
  if (domain.size() < 3 || domain.back() == '.' || domain.find('@') != std::string_view::npos)
    return false;
  return domain.substr(1, domain.size() - 2).find('.') != std::string_view::npos;
}

bool is_url(std::string_view text) noexcept {
  if (has_blank_or_control(text))
    return false;
  auto colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || !is_letter(text[0]))
    return false;
  char scheme[8] = {};
  for (std::size_t i = 0; i < colon; ++i) {
    char c = text[i];
    if (!is_letter(c) && !is_digit(c) && c != '+' && c != '-' && c != '.')
      return false;
    if (i < sizeof scheme - 1)
      scheme[i] = static_cast<char>(is_letter(c) ? c | 0x20 : c);
  }
  auto rest = text.substr(colon + 1);
  std::string_view name(scheme, std::min<std::size_t>(colon, sizeof scheme));
  bool needs_host =
      name == "http" || name == "https" || name == "ws" || name == "wss" || name == "ftp";
  if (!needs_host)
    return !rest.empty();
  if (rest.substr(0, 2) != "//")
    return false;
  auto host = rest.substr(2, rest.find_first_of("/?#", 2) - 2);
  if (auto at = host.rfind('@'); at != std::string_view::npos)
    host.remove_prefix(at + 1);
  if (!host.empty() && host[0] == '[') {
    auto close = host.find(']');
    if (close == std::string_view::npos || close < 3)
      return false;
    host.remove_prefix(close);
  }
  auto port = host.find(':');
  auto digits = port == std::string_view::npos ? std::string_view() : host.substr(port + 1);
  unsigned long number = 0;
  for (char c : digits) {
    number = number * 10 + static_cast<unsigned long>(c - '0');
    if (!is_digit(c) || number > 65535)
      return false;
  }
  return !host.substr(0, port).empty() &&
         host.find_first_of("<>\"\\^`{|}%") == std::string_view::npos;
}

bool is_iso_date(std::string_view text) noexcept { return parse_iso_date(text).has_value(); }

namespace {

/// Takes `count` digits off the front of `text`; -1 if they are not there.
int take_digits(std::string_view& text, std::size_t count) noexcept {
  int number = 0;
  if (text.size() < count)
    return -1;
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_digit(text[i]))
      return -1;
    number = number * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return number;
}

bool take(std::string_view& text, char c) noexcept {
  if (text.empty() || text[0] != c)
    return false;
  text.remove_prefix(1);
  return true;
}

/// `Z`, `+hh:mm`, `-hh:mm` or `+hhmm`, in milliseconds east of Greenwich; nothing if malformed.
std::optional<std::int64_t> take_zone(std::string_view& text) noexcept {
  if (text.empty() || take(text, 'Z') || take(text, 'z'))
    return 0;
  int sign = take(text, '+') ? 1 : take(text, '-') ? -1 : 0;
  int hours = take_digits(text, 2);
  take(text, ':');
  int minutes = take_digits(text, 2);
  if (sign == 0 || hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
    return {};
  return sign * (hours * 60 + minutes) * 60'000;
}

/// `hh:mm:ss` with an optional fraction, in milliseconds; nothing if malformed.
std::optional<std::int64_t> take_time(std::string_view& text) noexcept {
  int hours = take_digits(text, 2);
  bool colon = take(text, ':');
  int minutes = take_digits(text, 2);
  colon = take(text, ':') && colon;
  int seconds = take_digits(text, 2);
  if (!colon || hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || seconds < 0 ||
      seconds > 59)
    return {};
  std::int64_t ms = ((hours * 60 + minutes) * 60 + seconds) * std::int64_t{1000};
  if (!take(text, '.') && !take(text, ','))
    return ms;
  int unit = 100;
  std::size_t count = 0;
  for (; !text.empty() && is_digit(text[0]); text.remove_prefix(1), ++count, unit /= 10)
    ms += (text[0] - '0') * unit;
  if (count == 0)
    return {};
  return ms;
}

} // namespace

std::optional<std::int64_t> parse_iso_date(std::string_view text) noexcept {
  using namespace std::chrono;
  int y = take_digits(text, 4);
  bool dashes = take(text, '-');
  int m = take_digits(text, 2);
  dashes = take(text, '-') && dashes;
  int d = take_digits(text, 2);
  if (!dashes || y < 0 || m < 0 || d < 0)
    return {};
  year_month_day date{year{y}, month{static_cast<unsigned>(m)}, day{static_cast<unsigned>(d)}};
  if (!date.ok())
    return {};
  std::int64_t ms = duration_cast<milliseconds>(sys_days{date}.time_since_epoch()).count();
  if (text.empty())
    return ms;
  if (!take(text, 'T') && !take(text, 't') && !take(text, ' '))
    return {};
  auto time = take_time(text);
  auto zone = time ? take_zone(text) : std::nullopt;
  if (!zone || !text.empty())
    return {};
  return ms + *time - *zone;
}

std::string to_iso_date(std::int64_t ms) {
  using namespace std::chrono;
  sys_time<milliseconds> when{milliseconds{ms}};
  auto days = floor<std::chrono::days>(when);
  // The calendar repeats every 400 years, and std::chrono ends at the year 32767.
  constexpr auto cycle = std::chrono::days{146'097};
  auto cycles =
      floor<duration<std::int64_t, std::ratio<146'097 * 86'400LL>>>(when).time_since_epoch();
  year_month_day date{days - cycle * cycles.count()};
  hh_mm_ss time{when - days};
  auto y = static_cast<int>(date.year()) + 400 * static_cast<int>(cycles.count());
  char text[48];
  std::snprintf(text, sizeof text,
                y < 0 || y > 9999 ? "%+07d-%02u-%02uT%02d:%02d:%02d.%03dZ"
                                  : "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
                y, static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()),
                static_cast<int>(time.subseconds().count()));
  return text;
}

} // namespace holdfast::detail
