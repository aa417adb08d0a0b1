#pragma once

#include <holdfast/runtime/error.hpp>

#include <tl/expected.hpp>

#include <string>
#include <utility>

namespace holdfast {

/// A value or an `error`: how every call that can fail returns. The interface is that of
/// `std::expected` (C++23): `if (r)`, `*r`, `r->`, `r.value()`, `r.error()`, `r.value_or(x)`,
/// `r.map(f)`, `r.and_then(f)`.
///
/// Do not write `for (auto& x : call().value())`: the temporary dies before the loop in C++20.
template <class T>
using result = tl::expected<T, error>;

/// Makes the failing alternative of a `result`: `return fail(errc::not_found, "users: ...")`.
[[nodiscard]] inline tl::unexpected<error> fail(error e) {
  return tl::unexpected<error>{std::move(e)};
}
[[nodiscard]] inline tl::unexpected<error> fail(errc code, std::string message = {},
                                                location where = {},
                                                error::detail_type detail = {}) {
  return tl::unexpected<error>{
      error{code, std::move(message), std::move(where), std::move(detail)}};
}

} // namespace holdfast
