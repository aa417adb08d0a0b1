#include <holdfast/store/detail/shown.hpp>

#include <holdfast/store/detail/formats.hpp>

#include <algorithm>

namespace holdfast::detail {

namespace {

/// The first bytes of a longer text, at most so many, without half a character.
std::string_view beginning_of(std::string_view text, std::size_t most) {
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80)
    --most;
  return text.substr(0, most);
}

/// Of a value in an error's text. Not an option: messages are lines for people, and who needs the
/// value has it.
constexpr std::size_t longest_shown = 60;

} // namespace

std::string shortened(std::string text) {
  if (!is_utf8(text))
    std::ranges::replace_if(
        text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
  if (text.size() <= longest_shown)
    return text;
  return std::string{beginning_of(text, longest_shown)} + "...";
}

std::string shown(value_view v) {
  constexpr auto enough = 4 * longest_shown;
  if (v.is_string() && v.as_string().size() > enough)
    return shown(beginning_of(v.as_string(), enough));
  return shortened(v.to_string());
}

std::string shown_name(std::string_view name) {
  auto text = shown(name); // as JSON, so that it stays one line
  if (text.ends_with('"'))
    text.pop_back();
  return text.substr(1);
}

} // namespace holdfast::detail
