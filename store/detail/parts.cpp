#include <holdfast/store/detail/parts.hpp>

#include <holdfast/store/record_limits.hpp>

#include <algorithm>
#include <string>
#include <string_view>

namespace holdfast::detail {
namespace {

constexpr std::size_t part_bytes = sizeof(value_part);
/// How many places of a long operand are looked up, for the one that the fewest records have.
constexpr std::size_t most_places = 16;

/// At most 8 bytes, the first one uppermost, filled up with `rest`.
value_part cut(std::string_view text, unsigned char rest) noexcept {
  value_part out = 0;
  for (std::size_t i = 0; i < part_bytes; ++i)
    out = out << 8 | (i < text.size() ? static_cast<unsigned char>(text[i]) : rest);
  return out;
}

part_range beginning_with(std::string_view text) noexcept {
  return {cut(text, 0), cut(text, 0xff)};
}

std::vector<value_part> parts_of_text(std::string_view text) {
  const folded_text folded{text};
  const std::string_view bytes{folded.bytes};
  std::vector<value_part> out;
  out.reserve(folded.starts.size());
  for (const auto at : folded.starts)
    out.push_back(cut(bytes.substr(at), 0));
  return out;
}

/// Some characters of the operand; of those behind which fewer than 8 bytes are left, only the
/// first, which says most.
std::vector<part_range> places_in(const folded_text& wanted) {
  const std::string_view bytes{wanted.bytes};
  std::vector<std::uint32_t> starts;
  for (const auto at : wanted.starts)
    if (at == 0 || at + part_bytes <= bytes.size())
      starts.push_back(at);
  const auto step = (starts.size() + most_places - 1) / most_places;
  std::vector<part_range> out;
  for (std::size_t i = 0; i < starts.size(); i += step)
    out.push_back(beginning_with(bytes.substr(starts[i])));
  return out;
}

/// The longest ending of the operand that is not cut, if there is one.
void add_ending(const folded_text& wanted, std::vector<part_range>& out) {
  const std::string_view bytes{wanted.bytes};
  const auto fits = [&](std::uint32_t at) { return bytes.size() - at < part_bytes; };
  const auto at = std::ranges::find_if(wanted.starts, fits);
  if (at == wanted.starts.end())
    return;
  const auto whole = cut(bytes.substr(*at), 0);
  out.push_back({whole, whole});
}

} // namespace

std::vector<value_part> parts_of(const record_block& block, std::uint32_t slot_number) {
  const auto content = view_of(block, slot_number);
  std::vector<value_part> out;
  if (content.is_string()) {
    const auto text = content.as_string();
    out = text.size() > max_parts ? std::vector{unparted} : parts_of_text(text);
  } else if (content.kind() == value_kind::array) {
    for (auto item : content.items()) {
      if (out.size() == max_parts)
        return {unparted};
      out.push_back(hash_value(item));
    }
  }
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::vector<part_range> ranges_of(const bound_node& comparison, field_type type) {
  const bool ends = comparison.op == filter::kind::ends_with;
  if (comparison.negated || !comparison.field.path.empty() ||
      (!ends && comparison.op != filter::kind::contains))
    return {};
  const auto& wanted = comparison.operands.front();
  if (type == field_type::array)
    return {{hash_value(wanted), hash_value(wanted)}};
  const folded_text folded{wanted.as_string()};
  auto out = places_in(folded);
  if (ends)
    add_ending(folded, out);
  return out;
}

} // namespace holdfast::detail
