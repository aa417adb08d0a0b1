#pragma once

#include <holdfast/store/memory_journal.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::testing {

/// A store over a journal in memory, on a clock that the test moves, for tests that go through
/// the reference's tables row by row.
struct reference_fixture : ::testing::Test {
  store start() {
    store_options options;
    options.name = "app";
    options.journal = memory_journal(disk);
    options.runtime_settings.clock = &clock;
    auto made = store::start(std::move(options)).value();
    made.runtime_in_use().log().redirect(nullptr, log_level::off);
    return made;
  }
  void restart() {
    ASSERT_TRUE(db.stop());
    db = start();
  }
  bucket<> define(const schema& s) {
    auto made = db.define(s);
    EXPECT_TRUE(made) << (made ? "" : made.error().to_string());
    return std::move(*made);
  }
  /// The keys of records, as text, in their order.
  static std::vector<std::string> keys(const result<records>& r) {
    std::vector<std::string> out;
    if (r)
      for (auto& each : *r)
        out.push_back(each.key().is_string() ? std::string{each.key().as_string()}
                                             : each.key().to_string());
    else
      out.push_back(r.error().to_string());
    return out;
  }

  manual_clock clock;
  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
  store db = start();
};

/// Collects the changes of a store; `take(n)` waits for so many.
class listener {
public:
  explicit listener(store& db, std::string_view pattern = "bucket.*.*")
      : token_{db.on(pattern, [this](const change& c) {
                   std::lock_guard lock{mutex_};
                   all_.push_back(c);
                   came_.notify_all();
                 }).value()} {}

  std::vector<change> take(std::size_t n) {
    std::unique_lock lock{mutex_};
    came_.wait_for(lock, std::chrono::seconds{20}, [&] { return all_.size() >= n; });
    return all_;
  }
  /// `bucket.kind key`
  std::vector<std::string> texts(std::size_t n) {
    std::vector<std::string> out;
    for (auto& c : take(n))
      out.push_back(c.bucket() + "." + std::string{to_string(c.kind)} +
                    (c.key().is_null() ? "" : " " + c.key().to_string()));
    return out;
  }

private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<change> all_;
  subscription token_; // ends first
};

} // namespace holdfast::testing
