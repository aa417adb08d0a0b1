#pragma once

#include <holdfast/store/detail/gateway.hpp>
#include <holdfast/store/gateway.hpp>

#include <memory>

namespace holdfast::detail {

/// What the gateway does with each message: it turns it into an operation on a handle, and the
/// operation's result into the answer.
store_gateway::behavior_type gateway_behaviour(store_gateway::pointer self,
                                               const std::shared_ptr<gateway_desk>& desk);

} // namespace holdfast::detail
