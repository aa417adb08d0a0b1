#include <holdfast/store/detail/shown.hpp>

#include <holdfast/store/detail/formats.hpp>

#include <algorithm>
#include <utility>

namespace holdfast::detail {

namespace {

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

/// The first bytes of a longer text, at most so many, without half a character.
std::string_view beginning_of(std::string_view text, std::size_t most) {
  while (most > 0 && continues_character(text[most]))
    --most;
  return text.substr(0, most);
}

/// The last bytes, likewise.
std::string_view end_of(std::string_view text, std::size_t most) {
  text.remove_prefix(text.size() - most);
  while (!text.empty() && continues_character(text.front()))
    text.remove_prefix(1);
  return text;
}

std::string printable(std::string text) {
  const bool is_text = is_utf8(text);
  const auto is_no_text = [&](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !is_text);
  };
  std::ranges::replace_if(text, is_no_text, '?');
  return text;
}

/// Of a value in an error's text. Not an option: messages are lines for people, and who needs the
/// value has it.
constexpr std::size_t longest_shown = 60;
constexpr std::size_t longest_place = 200;

} // namespace

std::string shortened(std::string text, std::size_t most) {
  text = printable(std::move(text));
  if (text.size() <= most)
    return text;
  return std::string{beginning_of(text, most)} + "...";
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

std::string shown_place(std::string_view place) {
  if (place.size() <= longest_place)
    return printable(std::string{place});
  constexpr std::string_view gap = "...";
  auto beginning = beginning_of(place, longest_place / 2 - gap.size());
  auto end = end_of(place, longest_place / 2);
  while (beginning.ends_with('.')) // also those of a gap from before
    beginning.remove_suffix(1);
  while (end.starts_with('.'))
    end.remove_prefix(1);
  return printable(std::string{beginning}.append(gap).append(end));
}

std::string place_in(std::string_view place, std::string_view name) {
  return shown_place(std::string{place} + "." + shown_name(name));
}

std::string place_in(std::string_view place, std::size_t position) {
  return shown_place(std::string{place} + "[" + std::to_string(position) + "]");
}

} // namespace holdfast::detail
