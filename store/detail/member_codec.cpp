#include <holdfast/store/detail/member_codec.hpp>

#include <holdfast/store/detail/shown.hpp>

#include <utility>

namespace holdfast::detail {

std::string place::to_string() const {
  auto text = outer ? outer->to_string() : std::string{};
  if (name.empty())
    return text + "[" + std::to_string(index) + "]";
  if (outer)
    text += ".";
  return text.append(name);
}

void misfits::add(const place& where, std::string_view code, const std::string& what) {
  auto field = where.to_string();
  auto message = std::string{bucket_} + "." + field + ": " + what;
  issues_.push_back({std::move(field), std::string{code}, std::move(message)});
}

void misfits::add(const place& where, value_view content) {
  add(where, "type", shown(content) + " does not fit the member");
}

void misfits::add_unknown(const place& where, value_view content, const std::vector<value>& known) {
  std::string list;
  for (auto& each : known)
    list += (list.empty() ? "" : ", ") + each.as_string();
  add(where, "enum", shown(content) + " is none of " + list);
}

error misfits::to_error(std::string key) {
  auto first = issues_.front();
  return error{errc::invalid,
               std::move(first.message),
               {std::string{bucket_}, std::move(key), std::move(first.field)},
               std::move(issues_)};
}

} // namespace holdfast::detail
