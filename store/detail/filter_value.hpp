#pragma once

#include <holdfast/runtime/result.hpp>
#include <holdfast/store/filter.hpp>
#include <holdfast/store/value.hpp>

#include <string>

namespace holdfast::detail {

/// A filter from the value that its JSON is, see store/filter_json.hpp; `where` is what errors call
/// the place. Recursion goes as deep as the value.
result<filter> filter_from(const value& x, const std::string& where);
/// The value that the filter's JSON is.
value json_of(const filter& f);

} // namespace holdfast::detail
