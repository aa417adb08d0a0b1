#pragma once

#include <holdfast/store/value_view.hpp>

#include <string>
#include <string_view>

namespace holdfast::detail {

/// A value for an error text: JSON, cut after some 60 characters.
std::string shown(value_view v);
/// The same of a name, without quotation marks, and of a text that is in words already.
std::string shown_name(std::string_view name);
std::string shortened(std::string text);

} // namespace holdfast::detail
