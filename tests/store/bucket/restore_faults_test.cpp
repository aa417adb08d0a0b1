// What others' code throws while a store is restored ends its start, and not the process.
#include "tests/support/forwarding_journal.hpp"

#include <holdfast/store/memory_journal.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <new>
#include <stdexcept>

namespace holdfast::testing {
namespace {

using ::testing::HasSubstr;

struct a_start_in_which : ::testing::Test {
  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();

  a_start_in_which() {
    auto db = start({});
    auto made = db->define(schema("things").key("id", integer())).value();
    for (int i = 0; i < 100; ++i)
      EXPECT_TRUE(made.insert({{"id", i}}).get());
  }
  result<store> start(std::function<void(store_options&)> change) {
    store_options options;
    options.name = "app";
    options.journal = memory_journal(disk);
    options.restore_threads = 4;
    if (change)
      change(options);
    return store::start(std::move(options));
  }
  void expect_all_there() {
    auto db = start({});
    ASSERT_TRUE(db) << db.error().to_string();
    EXPECT_EQ(*db->bucket("things")->count().get(), 100u);
  }
};

/// Throws when records are read.
class unreadable_journal final : public forwarding_journal {
public:
  unreadable_journal(std::unique_ptr<journal> to, std::function<void()> thrower)
      : forwarding_journal{std::move(to)}, throw_{std::move(thrower)} {}
  result<void> scan(std::string_view first, std::string_view last,
                    const visitor& visit) const override {
    if (first.starts_with('s'))
      throw_();
    return forwarding_journal::scan(first, last, visit);
  }

private:
  std::function<void()> throw_;
};

TEST_F(a_start_in_which, the_journal_throws_fails) {
  const std::pair<std::function<void()>, errc> table[] = {
      {[] { throw std::runtime_error{"a broken cable"}; }, errc::io},
      {[] { throw std::bad_alloc{}; }, errc::out_of_memory},
      {[] { throw 42; }, errc::io},
  };
  for (auto& [thrower, code] : table) {
    auto failed = start([&, &thrower = thrower](store_options& o) {
      o.journal = std::make_unique<unreadable_journal>(memory_journal(disk), thrower);
    });
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error(), code) << failed.error().to_string();
    EXPECT_EQ(failed.error().where().bucket, "things");
    EXPECT_THAT(failed.error().message(), HasSubstr("memory")) << "the journal's name";
  }
  expect_all_there();
}

TEST_F(a_start_in_which, on_restore_throws_fails) {
  for (auto at_the_end : {false, true}) {
    auto failed = start([&](store_options& o) {
      o.on_restore = [=](const restore_progress& p) {
        if (p.done == at_the_end)
          throw std::runtime_error{"seen enough"};
      };
    });
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error(), errc::invalid_argument);
    EXPECT_THAT(failed.error().message(),
                HasSubstr("app: on_restore threw an exception: seen enough"));
  }
  expect_all_there();
}

/// Reads slowly, so that progress is told meanwhile.
class waiting_journal final : public forwarding_journal {
public:
  waiting_journal(std::unique_ptr<journal> to, std::shared_future<void> until)
      : forwarding_journal{std::move(to)}, until_{std::move(until)} {}
  result<void> scan(std::string_view first, std::string_view last,
                    const visitor& visit) const override {
    if (first.starts_with('s'))
      until_.wait();
    return forwarding_journal::scan(first, last, visit);
  }

private:
  std::shared_future<void> until_;
};

TEST_F(a_start_in_which, on_restore_throws_while_others_read_fails_when_they_are_done) {
  std::promise<void> told;
  auto failed = start([&](store_options& o) {
    o.journal = std::make_unique<waiting_journal>(memory_journal(disk), told.get_future().share());
    o.on_restore = [&](const restore_progress&) {
      told.set_value();
      throw std::runtime_error{"seen enough"};
    };
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error(), errc::invalid_argument) << failed.error().to_string();
  expect_all_there();
}

} // namespace
} // namespace holdfast::testing
