#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// What texts must look like. All functions are pure, never allocate, and take time linear in the
/// text.
namespace holdfast::detail {

/// Whether all bytes are below 128.
bool is_ascii(std::string_view text) noexcept;
/// Whether the bytes are UTF-8: shortest forms only, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text) noexcept;
/// The number of code points of valid UTF-8.
std::size_t code_points(std::string_view text) noexcept;

/// One `@` with text before it, and behind it a dot with text on both of its sides; no blanks.
bool is_email(std::string_view text) noexcept;
/// An absolute URL: a scheme, a colon, then something; `http`, `https`, `ws`, `wss` and `ftp` need
/// a host, and its port is a number up to 65535. No blanks or control characters.
bool is_url(std::string_view text) noexcept;
/// A calendar-checked ISO 8601 date (`2024-02-29`), or a date and time of at least second precision
/// with an optional fraction and zone (`2024-02-29T12:30:00.5+01:00`).
bool is_iso_date(std::string_view text) noexcept;

/// The milliseconds since the epoch of such a text. A date is its midnight; no zone is UTC; digits
/// below the millisecond are cut off.
std::optional<std::int64_t> parse_iso_date(std::string_view text) noexcept;

/// The greatest distance of a date from the epoch, in milliseconds, either way: 100 million days.
inline constexpr std::int64_t max_date_ms = 8'640'000'000'000'000;

/// `2024-02-29T12:30:00.500Z`; years beyond four digits get a sign and six digits.
std::string to_iso_date(std::int64_t ms);

} // namespace holdfast::detail
