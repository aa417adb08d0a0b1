#include <holdfast/store/detail/name_fault.hpp>

#include <holdfast/store/detail/formats.hpp>
#include <holdfast/store/detail/validation_rules.hpp>

namespace holdfast::detail {

std::string line_fault(std::string_view name) {
  if (name.empty())
    return "is empty";
  if (name.size() > limits.record.name_bytes)
    return "has " + std::to_string(name.size()) + " bytes, above the limit " +
           std::to_string(limits.record.name_bytes);
  if (!is_utf8(name))
    return "is not valid UTF-8";
  for (char c : name)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      return "contains a control character";
  return {};
}

std::string name_fault(std::string_view name) {
  if (auto why = line_fault(name); !why.empty())
    return why;
  for (char c : name)
    if (c == '.' || c == '/' || c == '\\' || c == '*')
      return "contains '" + std::string(1, c) + "'";
  return {};
}

std::string field_name_fault(std::string_view name) {
  return name.starts_with('$') ? "begins with '$'" : name_fault(name);
}

} // namespace holdfast::detail
