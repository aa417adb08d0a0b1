#pragma once

#include <holdfast/store/detail/pipeline.hpp>
#include <holdfast/store/memory_journal.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::detail {

/// A commit that remembers how it was settled.
class test_commit final : public sealed_commit {
public:
  test_commit(durability how, std::string key) {
    level = how;
    put(key, "value of " + key);
  }
  void settled(const error* failure) noexcept override {
    done.set_value(failure ? std::optional{*failure} : std::nullopt);
  }
  void retain() noexcept override { ++held; }
  void let_go() noexcept override { --held; }

  std::promise<std::optional<error>> done;
  std::atomic<int> held{0};
};

/// A pipeline over a journal in memory; nobody writes until it is told to `resume`.
struct a_pipeline : ::testing::Test {
  commit_lines lines;
  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
  std::unique_ptr<journal> to;
  std::promise<std::string> crash;
  std::vector<std::unique_ptr<test_commit>> commits;
  std::unique_ptr<pipeline> pipe; // ends before the commits that it may still hold

  void open(pipeline_options options = {}) {
    to = memory_journal(disk);
    ASSERT_TRUE(to->open());
    pipe = std::make_unique<pipeline>(lines.durable, *to, options,
                                      [this](std::string why) { crash.set_value(why); });
  }
  test_commit& seal(durability how) {
    auto& c = *commits.emplace_back(
        std::make_unique<test_commit>(how, "k" + std::to_string(commits.size())));
    outcome = pipe->seal(c, [](sequence) {});
    return c;
  }
  pipeline::seal_outcome outcome{};
};

} // namespace holdfast::detail
