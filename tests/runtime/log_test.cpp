#include <holdfast/runtime/log.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace holdfast {
namespace {

TEST(logger, calls_its_sink_at_and_above_the_threshold) {
  manual_clock time;
  logger log{time};
  std::vector<std::string> lines;
  log.redirect([&](const log_entry& e) { lines.push_back(std::string{e.message}); },
               log_level::warning);
  log.write(log_level::info, "test", "too quiet");
  log.write(log_level::warning, "test", "heard");
  log.write(log_level::error, "test", "heard too");
  EXPECT_EQ(lines, (std::vector<std::string>{"heard", "heard too"}));
  EXPECT_FALSE(log.enabled(log_level::off));
}

TEST(logger, stamps_entries_with_its_clock) {
  manual_clock time;
  logger log{time};
  timestamp seen{};
  log.redirect([&](const log_entry& e) { seen = e.at; });
  log.write(log_level::info, "test", "now");
  EXPECT_EQ(seen, time.now());
}

TEST(logger, survives_a_sink_that_throws) {
  logger log;
  log.redirect([](const log_entry&) { throw std::runtime_error("disk full"); });
  log.write(log_level::error, "test", "lost");
}

TEST(logger, writes_one_line_to_stderr_by_default_and_nothing_to_stdout) {
  manual_clock time{timestamp{std::chrono::milliseconds{1'500}}};
  logger log{time};
  ::testing::internal::CaptureStderr();
  ::testing::internal::CaptureStdout();
  log.write(log_level::warning, "supervisor root", "child a crashed");
  log.write(log_level::info, "supervisor root", "not by default");
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "1970-01-01T00:00:01.500Z warning supervisor root: child a crashed\n");
}

} // namespace
} // namespace holdfast
