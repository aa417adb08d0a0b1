#pragma once

#include <holdfast/runtime/result.hpp>

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

/// How many segments and bytes a topic or a pattern may have. Constants, not options: a topic is a
/// value that every bus must be able to take, and trees of patterns are walked by recursion, one
/// call for each segment. Topics of buckets have three segments.
inline constexpr std::size_t max_topic_segments = 64;
inline constexpr std::size_t max_topic_bytes = 4096;

/// What an event is about: segments joined by dots, such as `bucket.users.inserted`.
///
/// A segment is not empty and contains neither `.` nor `*`. Compares as text. Immutable.
class topic {
public:
  /// Error: `invalid_argument`, also past `max_topic_segments` or `max_topic_bytes`.
  static result<topic> parse(std::string_view text);
  /// The same from segments, for names that come from elsewhere.
  static result<topic> of(std::initializer_list<std::string_view> segments);

  const std::string& text() const noexcept { return text_; }
  /// The segments in order. They refer to this topic. O(length).
  std::vector<std::string_view> segments() const;

  friend bool operator==(const topic&, const topic&) = default;

private:
  explicit topic(std::string text) : text_{std::move(text)} {}
  std::string text_;
};

/// A set of topics: a topic in which a segment may be `*`, exactly one of any kind, and the last
/// one may be `**`, any number of any kind, none included: `bucket.*.inserted`, `bucket.**`, `**`.
class topic_pattern {
public:
  /// Error: `invalid_argument`, also past `max_topic_segments` or `max_topic_bytes`.
  static result<topic_pattern> parse(std::string_view text);

  const std::string& text() const noexcept { return text_; }
  std::vector<std::string_view> segments() const;
  /// O(length).
  bool matches(const topic& t) const;

  friend bool operator==(const topic_pattern&, const topic_pattern&) = default;

private:
  explicit topic_pattern(std::string text) : text_{std::move(text)} {}
  std::string text_;
};

} // namespace holdfast
