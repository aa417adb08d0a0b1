#pragma once

#include <holdfast/store/detail/gateway_reply.hpp>

namespace holdfast::detail {

/// What the gateway does with requests about the store as a whole.
caf::delegated<result<std::uint64_t>> purge_all_for(gateway_pointer self, const desk_ptr& desk,
                                                    const purge_store& m);
caf::delegated<result<query_value>> run_for(gateway_pointer self, const desk_ptr& desk,
                                            const holdfast::run_query& m);
caf::delegated<result<subscription_id>> subscribe_for(gateway_pointer self, const desk_ptr& desk,
                                                      const subscribe_events& m);
caf::delegated<result<subscription_id>> subscribe_for(gateway_pointer self, const desk_ptr& desk,
                                                      const subscribe_query& m);
caf::delegated<result<bool>> unsubscribe_for(gateway_pointer self, const desk_ptr& desk,
                                             const unsubscribe& m);

} // namespace holdfast::detail
