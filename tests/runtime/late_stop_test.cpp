// A supervisor that is to stop when its runtime stops already.
#include <holdfast/runtime/caf.hpp>
#include <holdfast/runtime/detail/caller_unit.hpp>
#include <holdfast/runtime/supervisor.hpp>

#include <gmock/gmock.h>

namespace holdfast::testing {
namespace {

using ::testing::HasSubstr;

TEST(a_late_stop, is_told_that_it_stops_nothing_while_the_supervisor_runs) {
  runtime rt{{.deterministic = true}};
  rt.log().redirect(nullptr, log_level::off);
  auto root = supervisor::start(rt, {.name = "late"}).value();
  rt.gate().close(); // as the runtime's stop does first
  auto told = root.stop().get();
  ASSERT_FALSE(told) << "nothing was stopped by it";
  EXPECT_EQ(told.error(), errc::stopped);
  EXPECT_THAT(told.error().message(), HasSubstr("supervisor late: the runtime is stopping"));
  EXPECT_TRUE(root.running());
  {
    detail::actor_scope inside; // whom the gate does not keep out
    auto stopped = root.stop().as_future();
    while (rt.run_one()) {
    }
    EXPECT_TRUE(stopped.get());
  }
  EXPECT_TRUE(root.stop().get()) << "it has ended";
  EXPECT_EQ(root.up().get().error(), errc::stopped);
}

} // namespace
} // namespace holdfast::testing
