#include <holdfast/runtime/version.hpp>

namespace holdfast {

std::string_view version() noexcept { return "0.1.0"; }

} // namespace holdfast
