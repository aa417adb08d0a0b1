#pragma once

#include <holdfast/store/value_view.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace holdfast::detail {

/// A value for an error text: JSON, cut after some 60 characters.
std::string shown(value_view v);
/// The same of a name, without quotation marks.
std::string shown_name(std::string_view name);
/// A text that is in words already, on one line: with marks for what cannot stand there.
std::string shortened(std::string text, std::size_t most = 60);

/// Where something is, such as `filter.$or[1].age`, on one line; a long one lacks its middle.
std::string shown_place(std::string_view place);
/// Where a member or an item of what is at `place` is. Of a few hundred bytes at most, however deep
/// it is.
std::string place_in(std::string_view place, std::string_view name);
std::string place_in(std::string_view place, std::size_t position);

} // namespace holdfast::detail
