#include <holdfast/runtime/job.hpp>

#include <holdfast/runtime/address.hpp>

namespace holdfast {

job::job() noexcept = default;
job::~job() = default;

} // namespace holdfast
