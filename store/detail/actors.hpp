#pragma once

#include <holdfast/runtime/child_spec.hpp>
#include <holdfast/store/detail/bucket_core.hpp>
#include <holdfast/store/detail/pipeline.hpp>
#include <holdfast/store/options.hpp>

#include <memory>

/// The store's actors as children of its supervisors. Each is thin: what it works on lives outside
/// of it and survives it.
namespace holdfast::detail {

/// The actor behind a bucket: takes the data back to what is sealed (R3), then runs the bucket's
/// jobs, one at a time.
child_spec bucket_child(ref<bucket_core> core, const store_options& options);

/// The actor that stands for the disk: while it lives, the pipeline's writer thread works.
child_spec persistence_child(std::shared_ptr<pipeline> pipe, ref<address> at);

} // namespace holdfast::detail
