// Options of a store that make no sense are told with their name, value and limit, before the
// journal is touched or a thread is started.
#include "tests/support/forwarding_journal.hpp"

#include <holdfast/store/memory_journal.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <limits>

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

/// A journal that nobody is to open.
class untouched_journal final : public forwarding_journal {
public:
  untouched_journal() : forwarding_journal{memory_journal()} {}
  result<journal_info> open() override {
    ADD_FAILURE() << "opened";
    return forwarding_journal::open();
  }
  void open_only_if(precondition) override { ADD_FAILURE() << "asked for"; }
};

using change_of_options = void (*)(store_options&);
constexpr auto most = std::numeric_limits<std::size_t>::max();

const std::pair<change_of_options, const char*> bad_options[] = {
    {[](auto& o) { o.group_delay = -1us; }, "group_delay -1 us is below the minimum 0 us"},
    {[](auto& o) { o.group_delay = std::chrono::microseconds::max(); },
     "group_delay 9223372036854775807 us is above the maximum 3153600000000000 us"},
    {[](auto& o) { o.async_delay = -1us; }, "async_delay -1 us"},
    {[](auto& o) { o.async_delay = std::chrono::microseconds::max(); }, "async_delay"},
    {[](auto& o) { o.restart_period = 0ms; }, "restart_period 0 ms is below the minimum 1 ms"},
    {[](auto& o) { o.restart_period = std::chrono::milliseconds::max(); }, "restart_period"},
    {[](auto& o) { o.revive_after = -1ms; }, "revive_after -1 ms is below the minimum 0 ms"},
    {[](auto& o) { o.revive_after = std::chrono::milliseconds::max(); },
     "revive_after 9223372036854775807 ms is above the maximum 3153600000000 ms"},
    {[](auto& o) { o.ttl_interval = std::chrono::milliseconds::max(); }, "ttl_interval"},
    {[](auto& o) { o.restore_threads = 1025; }, "restore_threads 1025 is above the maximum 1024"},
    {[](auto& o) { o.restore_threads = ~0u; }, "restore_threads 4294967295"},
    {[](auto& o) { o.runtime_settings.threads = ~0u; }, "runtime_settings.threads"},
    {[](auto& o) { o.runtime_settings.callback_threads = ~0u; },
     "runtime_settings.callback_threads 4294967295 is above the maximum 1024"},
    {[](auto& o) { o.runtime_settings.mailbox_limit = 0; },
     "runtime_settings.mailbox_limit 0 is below the minimum 1"},
    {[](auto& o) { o.backlog_commits = 0; }, "backlog_commits 0 is below the minimum 1"},
    {[](auto& o) { o.backlog_bytes = 0; }, "backlog_bytes 0"},
    {[](auto& o) { o.feed_commits = 0; }, "feed_commits 0"},
    {[](auto& o) { o.gateway_requests = 0; }, "gateway_requests 0"},
    {[](auto& o) { o.gateway_subscriptions = 0; }, "gateway_subscriptions 0"},
    {[](auto& o) { o.limits.key_bytes = 0; }, "limits.key_bytes 0"},
    {[](auto& o) { o.limits.record_bytes = most; }, "limits.record_bytes 18446744073709551615"},
    {[](auto& o) {
       o.name = std::string{"a\0b", 3};
     },
     "store: the name"},
};

TEST(bad_options, are_told_before_anything_happens) {
  for (auto& [change, told] : bad_options) {
    store_options options;
    options.name = "app";
    options.journal = std::make_unique<untouched_journal>();
    change(options);
    auto refused = store::start(std::move(options));
    ASSERT_FALSE(refused) << told;
    EXPECT_EQ(refused.error(), errc::invalid_argument);
    EXPECT_THAT(refused.error().message(), HasSubstr(told));
  }
}

TEST(extreme_options, are_taken_as_they_are) {
  store_options options;
  options.journal = memory_journal();
  options.durability = durability::sync; // others wait a hundred years
  options.group_delay = options.async_delay = std::chrono::hours{24 * 365 * 100};
  options.restart_period = options.revive_after = options.ttl_interval =
      std::chrono::hours{24 * 365 * 100};
  options.backlog_commits = options.backlog_bytes = options.feed_commits = most;
  options.runtime_settings.mailbox_limit = options.runtime_settings.stash_limit = most;
  options.gateway_requests = options.gateway_subscriptions = most;
  options.restart_budget = ~0u;
  auto db = store::start(std::move(options)).value();
  auto things = db.define(schema("things").key("id", integer())).value();
  EXPECT_TRUE(things.with(durability::async).insert({{"id", 1}}).get());
  EXPECT_TRUE(db.sync(std::chrono::milliseconds::max())) << "a barrier ends the wait for company";
  EXPECT_TRUE(db.settle(std::chrono::milliseconds::max()));
  EXPECT_TRUE(
      things.with(durability::sync).insert({{"id", 2}}).get(std::chrono::milliseconds::max()));
  EXPECT_TRUE(db.crash("things", std::chrono::milliseconds::max()));
  EXPECT_TRUE(
      db.transact([&](transaction& tx) { return tx.in(things).erase(1).get().map([](auto) {}); },
                  {.timeout = std::chrono::milliseconds::max()}));
  EXPECT_TRUE(db.drop("things", std::chrono::milliseconds::max()));
  EXPECT_TRUE(db.stop());
}

} // namespace
} // namespace holdfast::testing
