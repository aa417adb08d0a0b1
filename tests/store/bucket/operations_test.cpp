#include <holdfast/store/memory_journal.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <coroutine>
#include <future>
#include <thread>

namespace holdfast {
namespace {

schema orders_schema() {
  return schema("orders").key("no", integer().generated(autoincrement)).field("what", string());
}

struct an_operation : ::testing::Test {
  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
  store db = start();
  bucket<> orders = std::move(*db.define(orders_schema()));

  store start() {
    store_options options;
    options.journal = memory_journal(disk);
    return std::move(*store::start(std::move(options)));
  }
};

TEST_F(an_operation, numbers_the_records_of_one_commit_one_after_the_other) {
  auto two = orders.insert_many({object{{"what", "a"}}, object{{"what", "b"}}}).get();
  ASSERT_TRUE(two) << two.error().to_string();
  EXPECT_EQ((*two)[0].key(), value_view{1});
  EXPECT_EQ((*two)[1].key(), value_view{2});
}

TEST_F(an_operation, leaves_no_trace_in_the_counter_when_it_fails) {
  ASSERT_TRUE(orders.insert({{"what", "a"}}).get());
  EXPECT_FALSE(orders.insert({{"what", 7}}).get());
  EXPECT_FALSE(orders.insert_many({object{{"what", "b"}}, object{{"what", 7}}}).get());
  EXPECT_EQ(orders.insert({{"what", "c"}}).get()->key(), value_view{2});
}

TEST_F(an_operation, counts_on_behind_an_explicit_number_an_erased_one_and_a_restart) {
  ASSERT_TRUE(orders.insert({{"no", 10}, {"what", "a"}}).get());
  EXPECT_EQ(orders.insert({{"what", "b"}}).get()->key(), value_view{11});
  ASSERT_TRUE(orders.erase(11).get());
  ASSERT_TRUE(db.stop());
  db = start();
  orders = std::move(*db.define(orders_schema()));
  EXPECT_EQ(orders.insert({{"what", "c"}}).get()->key(), value_view{12});
}

TEST_F(an_operation, does_nothing_until_it_is_waited_for) {
  {
    auto dropped = orders.insert({{"what", "a"}});
    (void)dropped;
  }
  EXPECT_EQ(*orders.count().get(), 0u);
}

TEST_F(an_operation, owns_its_input) {
  auto late = [&] {
    std::string text(100, 'x');
    return orders.insert({{"what", text}});
  }();
  EXPECT_EQ((*std::move(late).get())["what"], value_view{std::string(100, 'x')});
}

TEST_F(an_operation, gives_a_future) {
  std::vector<std::future<result<record>>> all;
  for (int i = 0; i < 64; ++i)
    all.push_back(orders.insert({{"what", "a"}}).as_future());
  for (auto& one : all)
    EXPECT_TRUE(one.get());
  EXPECT_EQ(*orders.count().get(), 64u);
}

TEST_F(an_operation, continues_with_a_function) {
  std::promise<bool> done;
  orders.insert({{"what", "a"}}).then([&](result<record> r) {
    // On a callback thread one may read, and write and wait.
    auto second = orders.insert({{"what", "b"}}).get();
    done.set_value(r.has_value() && second.has_value());
  });
  EXPECT_TRUE(done.get_future().get());
}

struct fire_and_forget {
  struct promise_type {
    fire_and_forget get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

fire_and_forget two_in_a_row(bucket<> orders, std::promise<std::uint64_t>& done) {
  auto insert = orders.insert({{"what", "a"}});
  auto first = co_await std::move(insert);
  auto update = orders.update(first->key().materialize(), {{"what", "b"}});
  auto second = co_await std::move(update);
  done.set_value(second->version());
}

TEST_F(an_operation, resumes_a_coroutine) {
  std::promise<std::uint64_t> done;
  two_in_a_row(orders, done);
  EXPECT_EQ(done.get_future().get(), 2u);
}

TEST_F(an_operation, is_unknown_in_outcome_when_the_disk_does_not_answer_in_time) {
  disk->hold();
  auto late = orders.insert({{"what", "a"}}).get(std::chrono::milliseconds{20});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), errc::outcome_unknown);
  EXPECT_EQ(*orders.count().get(), 0u) << "what is not on disk is not visible";
  disk->release();
  ASSERT_TRUE(db.sync());
  EXPECT_EQ(*orders.count().get(), 1u);
}

TEST_F(an_operation, waits_for_the_restart_of_its_bucket) {
  std::vector<std::future<result<record>>> all;
  auto crash = std::async(std::launch::async, [&] { return db.crash("orders").has_value(); });
  for (int i = 0; i < 200; ++i)
    all.push_back(orders.insert({{"what", "a"}}).as_future());
  for (auto& one : all) {
    auto r = one.get();
    EXPECT_TRUE(r) << r.error().to_string();
  }
  EXPECT_TRUE(crash.get());
  EXPECT_EQ(*orders.count().get(), 200u);
}

TEST(a_deterministic_store, runs_on_the_thread_that_waits) {
  manual_clock clock;
  store_options options;
  options.runtime_settings.deterministic = true;
  options.runtime_settings.clock = &clock;
  auto db = store::start(std::move(options));
  ASSERT_TRUE(db) << db.error().to_string();
  auto orders = db->define(orders_schema());
  ASSERT_TRUE(orders) << orders.error().to_string();
  auto first = orders->insert({{"what", "a"}}).get();
  ASSERT_TRUE(first) << first.error().to_string();
  EXPECT_EQ(first->created_at(), clock.now());
  clock.advance(std::chrono::seconds{1});
  EXPECT_EQ(orders->update(1, {{"what", "b"}}).get()->updated_at(), clock.now());
}

} // namespace
} // namespace holdfast

namespace holdfast {
namespace {

TEST(a_store_under_load, stops_in_the_middle_and_answers_everybody) {
  for (bool durable : {false, true}) {
    store_options options;
    if (durable)
      options.journal = memory_journal();
    auto db = std::move(*store::start(std::move(options)));
    auto orders = std::move(*db.define(orders_schema()));
    std::atomic<int> done{0}, refused{0}, odd{0};
    std::vector<std::thread> callers;
    for (int t = 0; t < 4; ++t)
      callers.emplace_back([&, t] {
        for (bool more = true; more;) {
          auto r = t % 2 ? orders.insert({{"what", "a"}}).get()
                         : orders.insert({{"what", "b"}}).as_future().get();
          more = r.has_value();
          ++(r ? done : r.error() == errc::stopped ? refused : odd);
        }
      });
    while (done < 200)
      std::this_thread::yield();
    EXPECT_TRUE(db.stop());
    for (auto& t : callers)
      t.join();
    EXPECT_EQ(refused, 4);
    EXPECT_EQ(odd, 0);
  }
}

TEST(a_handle, that_outlives_its_store_answers_stopped_in_every_way_of_waiting) {
  std::optional<bucket<>> orders;
  {
    auto db = std::move(*store::start());
    orders = std::move(*db.define(orders_schema()));
    ASSERT_TRUE(orders->insert({{"what", "a"}}).get());
  }
  EXPECT_EQ(orders->insert({{"what", "b"}}).get().error().code(), errc::stopped);
  EXPECT_EQ(orders->insert({{"what", "b"}}).as_future().get().error().code(), errc::stopped);
  auto told = errc::not_found;
  orders->insert({{"what", "b"}}).then([&](result<record> r) { told = r.error().code(); });
  EXPECT_EQ(told, errc::stopped);
  EXPECT_EQ(orders->count().get().error().code(), errc::stopped);
}

} // namespace
} // namespace holdfast
