#include <holdfast/store/detail/record_layout.hpp>

#include <algorithm>
#include <bit>

namespace holdfast::detail {

record_layout::record_layout(std::string bucket, std::vector<layout_field> fields,
                             std::size_t key_slot, const record_limits& limits)
    : bucket_(std::move(bucket)), fields_(std::move(fields)), key_slot_(key_slot), limits_(limits) {
  for (std::size_t i = 0; i < std::min(few, fields_.size()); ++i)
    prefixes_[i] = prefix_of(fields_[i].name);
  if (fields_.size() <= few)
    return;
  table_.resize(std::bit_ceil(fields_.size() * 2));
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    auto at = hash_value(fields_[i].name) & (table_.size() - 1);
    while (table_[at] != 0)
      at = (at + 1) & (table_.size() - 1);
    table_[at] = static_cast<std::uint16_t>(i + 1);
  }
}

bool record_layout::holds_date(std::size_t slot, std::string_view path) const {
  if (path.empty())
    return fields_[slot].type == field_type::date;
  const auto is_position = [](std::string_view name) {
    return name.find_first_not_of("0123456789") == name.npos;
  };
  const auto leads_to = [&](std::string_view pattern) {
    auto left = path;
    for (;;) {
      const auto name = left.substr(0, left.find('.'));
      const auto wanted = pattern.substr(0, pattern.find('.'));
      if (wanted == "*" ? !is_position(name) : wanted != name)
        return false;
      if (name.size() == left.size() || wanted.size() == pattern.size())
        return name.size() == left.size() && wanted.size() == pattern.size();
      left.remove_prefix(name.size() + 1);
      pattern.remove_prefix(wanted.size() + 1);
    }
  };
  return std::ranges::any_of(fields_[slot].dates, leads_to);
}

std::uint64_t record_layout::prefix_of(std::string_view name) noexcept {
  // The length in the top byte, then up to seven bytes of the name.
  std::uint64_t word = 0;
  std::memcpy(&word, name.data(), std::min<std::size_t>(name.size(), 7));
  return word | (std::uint64_t{name.size() & 0xff} << 56);
}

std::size_t record_layout::find_few(std::string_view name) const noexcept {
  auto wanted = prefix_of(name);
  for (std::size_t i = 0; i < fields_.size(); ++i)
    if (prefixes_[i] == wanted && fields_[i].name == name)
      return i;
  return npos;
}

std::size_t record_layout::find_hashed(std::string_view name) const noexcept {
  for (auto at = hash_value(name) & (table_.size() - 1); table_[at] != 0;
       at = (at + 1) & (table_.size() - 1))
    if (fields_[table_[at] - 1U].name == name)
      return table_[at] - 1U;
  return npos;
}

} // namespace holdfast::detail
