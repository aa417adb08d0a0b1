#include <holdfast/runtime/topic.hpp>

#include <algorithm>
#include <utility>

namespace holdfast {
namespace {

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> out;
  for (;;) {
    auto dot = text.find('.');
    out.push_back(text.substr(0, dot));
    if (dot == std::string_view::npos)
      return out;
    text.remove_prefix(dot + 1);
  }
}

bool plain(std::string_view segment) {
  return !segment.empty() && segment.find_first_of(".*") == std::string_view::npos;
}

tl::unexpected<error> refuse(std::string_view what, std::string_view text, std::string_view why) {
  return fail(errc::invalid_argument,
              std::string{what} + " \"" + std::string{text} + "\": " + std::string{why});
}

/// Why a text is too long to be a topic or a pattern, without the text; nothing if it is not.
result<void> check_size(std::string_view what, std::string_view text) {
  auto refuse = [&](std::size_t count, std::string_view noun, std::size_t most) {
    return fail(errc::invalid_argument, std::string{what} + ": " + std::to_string(count) + " " +
                                            std::string{noun} + " are above the limit " +
                                            std::to_string(most));
  };
  if (text.size() > max_topic_bytes)
    return refuse(text.size(), "bytes", max_topic_bytes);
  const auto segments = 1 + static_cast<std::size_t>(std::ranges::count(text, '.'));
  if (segments > max_topic_segments)
    return refuse(segments, "segments", max_topic_segments);
  return {};
}

} // namespace

result<topic> topic::parse(std::string_view text) {
  if (auto fits = check_size("topic", text); !fits)
    return fail(std::move(fits.error()));
  for (auto segment : split(text))
    if (!plain(segment))
      return refuse("topic", text, "a segment is empty or contains *");
  return topic{std::string{text}};
}

result<topic> topic::of(std::initializer_list<std::string_view> segments) {
  std::string text;
  for (auto segment : segments) {
    if (!plain(segment))
      return refuse("topic segment", segment, "is empty or contains . or *");
    text += (text.empty() ? "" : ".") + std::string{segment};
  }
  if (text.empty())
    return refuse("topic", text, "has no segments");
  if (auto fits = check_size("topic", text); !fits)
    return fail(std::move(fits.error()));
  return topic{std::move(text)};
}

std::vector<std::string_view> topic::segments() const { return split(text_); }

result<topic_pattern> topic_pattern::parse(std::string_view text) {
  if (auto fits = check_size("topic pattern", text); !fits)
    return fail(std::move(fits.error()));
  auto segments = split(text);
  for (auto& segment : segments) {
    if (segment == "**" && &segment != &segments.back())
      return refuse("topic pattern", text, "** is not the last segment");
    if (!plain(segment) && segment != "*" && segment != "**")
      return refuse("topic pattern", text, "a segment is empty or contains * beside other text");
  }
  return topic_pattern{std::string{text}};
}

std::vector<std::string_view> topic_pattern::segments() const { return split(text_); }

bool topic_pattern::matches(const topic& t) const {
  auto mine = segments();
  auto theirs = t.segments();
  auto open = mine.back() == "**";
  if (open)
    mine.pop_back();
  if (open ? theirs.size() < mine.size() : theirs.size() != mine.size())
    return false;
  for (std::size_t i = 0; i < mine.size(); ++i)
    if (mine[i] != "*" && mine[i] != theirs[i])
      return false;
  return true;
}

} // namespace holdfast
