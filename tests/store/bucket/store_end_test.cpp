// A store that ends where it must not wait: in its own callback, in an actor.
#include "tests/support/forwarding_journal.hpp"

#include <holdfast/runtime/caf.hpp>
#include <holdfast/store/memory_journal.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <future>
#include <optional>

namespace holdfast::testing {
namespace {

using ::testing::HasSubstr;

/// Says when it is closed, which is the last that a store does.
class telling_journal final : public forwarding_journal {
public:
  explicit telling_journal(std::promise<void>& closed)
      : forwarding_journal{memory_journal()}, closed_{closed} {}
  result<void> close() override {
    auto done = forwarding_journal::close();
    closed_.set_value();
    return done;
  }

private:
  std::promise<void>& closed_;
};

struct a_store_that_ends : ::testing::Test {
  std::promise<void> closed;
  std::optional<store> db = [this] {
    store_options options;
    options.name = "app";
    options.journal = std::make_unique<telling_journal>(closed);
    return store::start(std::move(options)).value();
  }();
  bucket<> things = db->define(schema("things").key("id", integer())).value();
};

TEST_F(a_store_that_ends, in_a_handler_of_its_own_is_closed_behind_it) {
  std::promise<void> handled;
  auto token = db->on("bucket.*.*", [&](const change&) {
                   db.reset();
                   handled.set_value();
                 }).value();
  (void)things.insert({{"id", 1}}).get();
  handled.get_future().get();
  closed.get_future().get();
  EXPECT_EQ(things.insert({{"id", 2}}).get().error(), errc::stopped);
}

TEST_F(a_store_that_ends, in_a_continuation_is_closed_behind_it) {
  things.insert({{"id", 1}}).then([&](const result<record>& r) {
    EXPECT_TRUE(r);
    *db = store::start().value(); // by another one that takes its place
  });
  closed.get_future().get();
}

TEST_F(a_store_that_ends, in_a_callback_of_another_store_is_closed_when_that_returns) {
  auto other = store::start().value();
  auto notes = other.define(schema("notes").key("id", integer())).value();
  std::promise<void> ended;
  notes.insert({{"id", 1}}).then([&](const result<record>&) {
    db.reset();
    ended.set_value();
  });
  ended.get_future().get();
  EXPECT_EQ(closed.get_future().wait_for(std::chrono::seconds{0}), std::future_status::ready);
}

template <class T>
std::optional<errc> code_of(const result<T>& of) {
  return of ? std::nullopt : std::optional{of.error().code()};
}

/// It waited for the handler, and the handler for the right to define.
TEST_F(a_store_that_ends, does_not_wait_for_a_handler_that_waits_for_it) {
  const bucket_update one_more = bucket_update().add_field("n", integer());
  const std::pair<const char*, std::function<std::optional<errc>(store&)>> table[] = {
      {"define", [](store& of) { return code_of(of.define(schema("more").key("id", integer()))); }},
      {"drop", [](store& of) { return code_of(of.drop("things")); }},
      {"update_bucket", [&](store& of) { return code_of(of.update_bucket("things", one_more)); }},
      {"reopen", [](store& of) { return code_of(of.reopen()); }}};
  for (auto& [name, call] : table) {
    SCOPED_TRACE(name);
    auto one = store::start().value();
    auto its = one.define(schema("things").key("id", integer())).value();
    std::promise<void> entered;
    std::promise<std::optional<errc>> answer;
    auto token =
        one.on("**",
               [&, &call = call](const change&) {
                 entered.set_value();
                 while (its.insert({{"id", 1}}).get().error() != errc::stopped) // until it ends
                   std::this_thread::yield();
                 answer.set_value(call(one));
               })
            .value();
    ASSERT_TRUE(its.insert({{"id", 1}}).get());
    entered.get_future().wait();
    EXPECT_TRUE(one.stop());
    EXPECT_EQ(answer.get_future().get(), errc::stopped);
  }
}

TEST_F(a_store_that_ends, still_says_what_it_was) {
  ASSERT_TRUE(db->stop());
  EXPECT_THAT(db->tree(), HasSubstr("app"));
  EXPECT_THAT(db->stats().to_string(), HasSubstr("things"));
  EXPECT_TRUE(db->has_bucket("things"));
}

TEST_F(a_store_that_ends, refuses_to_stop_in_a_callback_and_goes_on) {
  std::promise<error> told;
  auto token = db->on("bucket.*.*", [&](const change& c) {
                   if (c.key() == value_view{1})
                     told.set_value(db->stop().error());
                 }).value();
  ASSERT_TRUE(things.insert({{"id", 1}}).get());
  auto refused = told.get_future().get();
  EXPECT_EQ(refused, errc::invalid_argument);
  EXPECT_THAT(refused.message(), HasSubstr("app: stop: called in an actor or a callback"));
  EXPECT_TRUE(things.insert({{"id", 2}}).get());
  EXPECT_TRUE(db->stop());
}

TEST_F(a_store_that_ends, with_an_actor_that_owns_it_is_closed_behind_it) {
  runtime others;
  others.system().spawn(
      [owned = std::make_shared<store>(std::move(*db))](caf::event_based_actor* self) mutable {
        quiet(self);
        EXPECT_EQ(owned->stop().error(), errc::invalid_argument);
        owned.reset();
      });
  closed.get_future().get();
  db.reset();
}

} // namespace
} // namespace holdfast::testing
