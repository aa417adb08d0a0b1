#include <holdfast/store/matches.hpp>

#include <holdfast/store/detail/match.hpp>

namespace holdfast {

result<bool> matches(const filter& which, const record& in) {
  if (!in)
    return fail(errc::invalid_argument,
                "matches: the handle is empty, there is no record to look at");
  const auto bound = detail::matcher::bind(which, *in.block()->layout);
  if (!bound)
    return fail(bound.error());
  return (*bound)(*in.block());
}

} // namespace holdfast
