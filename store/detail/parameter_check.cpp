#include <holdfast/store/detail/parameter_check.hpp>

#include <holdfast/store/detail/issue_list.hpp>
#include <holdfast/store/detail/name_fault.hpp>
#include <holdfast/store/detail/validation_check.hpp>
#include <holdfast/store/detail/value_codec.hpp>

#include <string>

namespace holdfast::detail {
namespace {

void check_parameter(std::string_view name, const value& given, const record_limits& most,
                     issue_list& found) {
  if (auto fault = line_fault(name); !fault.empty())
    return found.add({}, "name", "a parameter's name " + fault);
  const auto size = encoded_size(given, most.depth);
  if (!size)
    found.add(name, "depth", "more than " + std::to_string(most.depth) + " levels");
  else if (*size > most.value_bytes)
    found.add(name, "size",
              std::to_string(*size) + " bytes are above the limit " +
                  std::to_string(most.value_bytes));
  else
    check_content(name, given, found);
}

} // namespace

std::optional<error> fault_in_parameters(std::string_view query, const object& given,
                                         const record_limits& most) {
  issue_list found{query, most.issues};
  if (given.size() > most.fields)
    found.add({}, "fields",
              std::to_string(given.size()) + " parameters are above the limit " +
                  std::to_string(most.fields));
  else
    for (const auto& [name, content] : given)
      check_parameter(name, content, most, found);
  auto wrong = found.as_error(errc::invalid_argument);
  if (!wrong)
    return std::nullopt;
  location where{.field = wrong->where().field, .query = std::string{query}};
  return error{wrong->code(), wrong->message(), std::move(where), wrong->issues()};
}

} // namespace holdfast::detail
