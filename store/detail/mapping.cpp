#include <holdfast/store/detail/mapping.hpp>

namespace holdfast::detail {

issue misfit(std::string_view bucket, std::string_view field, value_view content) {
  std::string name{field};
  return {name, "type",
          std::string{bucket} + "." + name + ": " + content.to_string() +
              " does not fit the member"};
}

} // namespace holdfast::detail
