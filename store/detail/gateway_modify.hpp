#pragma once

#include <holdfast/store/detail/gateway_reply.hpp>

namespace holdfast::detail {

/// What the gateway does with `modify_record`: what `bucket<>::modify` does, without an actor that
/// waits.
caf::delegated<result<record>> modify_for(gateway_pointer self, const desk_ptr& desk,
                                          const modify_record& m);

} // namespace holdfast::detail
