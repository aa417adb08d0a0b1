#pragma once

#include <holdfast/store/detail/gateway_reply.hpp>

#include <string>
#include <vector>

/// How the gateway answers what is about the store as a whole.
namespace holdfast::detail {

caf::delegated<result<std::vector<std::string>>>
answer_for(gateway_pointer self, const desk_ptr& desk, const list_buckets& m);
caf::delegated<result<std::string>> answer_for(gateway_pointer self, const desk_ptr& desk,
                                               const describe_tree& m);
caf::delegated<result<restore_report>> answer_for(gateway_pointer self, const desk_ptr& desk,
                                                  const describe_restore& m);
caf::delegated<result<snapshot>> answer_for(gateway_pointer self, const desk_ptr& desk,
                                            const take_snapshot& m);
caf::delegated<result<void>> answer_for(gateway_pointer self, const desk_ptr& desk,
                                        const holdfast::define_query& m);
caf::delegated<result<void>> answer_for(gateway_pointer self, const desk_ptr& desk,
                                        const define_function_query& m);
caf::delegated<result<bool>> answer_for(gateway_pointer self, const desk_ptr& desk,
                                        const holdfast::remove_query& m);
caf::delegated<result<std::vector<query_info>>>
answer_for(gateway_pointer self, const desk_ptr& desk, const list_queries& m);
caf::delegated<result<query_info>> answer_for(gateway_pointer self, const desk_ptr& desk,
                                              const describe_query& m);
caf::delegated<result<query_why>> answer_for(gateway_pointer self, const desk_ptr& desk,
                                             const explain_subscription& m);
caf::delegated<result<void>> answer_for(gateway_pointer self, const desk_ptr& desk,
                                        const settle_queries& m);
caf::delegated<result<void>> answer_for(gateway_pointer self, const desk_ptr& desk,
                                        const sync_store& m);
caf::delegated<result<reopen_report>> answer_for(gateway_pointer self, const desk_ptr& desk,
                                                 const reopen_store& m);
caf::delegated<result<void>> answer_for(gateway_pointer self, const desk_ptr& desk,
                                        const revive_bucket& m);

} // namespace holdfast::detail
