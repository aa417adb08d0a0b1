#pragma once

#include <holdfast/runtime/child_spec.hpp>
#include <holdfast/store/detail/bucket_core.hpp>

#include <chrono>
#include <functional>
#include <vector>

namespace holdfast::detail {

/// The actor that purges, every `interval` of the actors' clock, what has expired in the buckets
/// that `buckets` gives: each bucket by itself, so that one that is down or waits for the disk
/// holds up no other. `buckets` is called from any thread, for as long as the actor lives.
///
/// It holds nothing that a crash could take: the next incarnation finds what is left.
child_spec ttl_child(std::function<std::vector<ref<bucket_core>>()> buckets,
                     std::chrono::milliseconds interval);

} // namespace holdfast::detail
