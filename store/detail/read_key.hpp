#pragma once

#include <holdfast/store/detail/index_key.hpp>
#include <holdfast/store/value_view.hpp>

namespace holdfast::detail {

/// A value as keys and indexes see it. Arrays and objects are no keys: they become null, which no
/// key and no unique value equals. A real that is a whole number becomes an integer, as keys are
/// stored.
inline key_view key_of(value_view v) noexcept {
  switch (v.kind()) {
  case value_kind::null:
    break;
  case value_kind::boolean:
    return key_view{v.as_bool()};
  case value_kind::integer:
    return key_view{v.as_int()};
  case value_kind::real:
    if (auto whole = v.if_int())
      return key_view{*whole};
    return key_view{v.as_double()};
  case value_kind::string:
    return key_view{v.as_string()};
  case value_kind::array:
  case value_kind::object:
    break;
  }
  return {};
}

} // namespace holdfast::detail
