// The reference's rows about events (1.7) and the rules bridge (1.10), one test per row, with what
// holdfast decides differently as decided.
#include "reference_fixture.hpp"

#include <holdfast/runtime/caf.hpp>
#include <holdfast/store/bridge.hpp>

#include <algorithm>

namespace holdfast::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct event_rows : reference_fixture {
  bucket<> notes = define(schema("notes").key("id", integer()).field("n", integer()));
};

TEST_F(event_rows, topics_and_payloads) {
  listener heard{db};
  ASSERT_TRUE(notes.insert({{"id", 1}, {"n", 1}}).get());
  ASSERT_TRUE(notes.update(1, {{"n", 2}}).get());
  ASSERT_TRUE(notes.erase(1).get());
  auto all = heard.take(3);
  EXPECT_EQ(all[0].where().text(), "bucket.notes.inserted");
  EXPECT_FALSE(all[0].before);
  EXPECT_EQ(all[0].after["n"], value_view{1});
  EXPECT_EQ(all[1].where().text(), "bucket.notes.updated");
  EXPECT_EQ(all[1].before["n"], value_view{1});
  EXPECT_EQ(all[1].after["n"], value_view{2});
  EXPECT_EQ(all[2].where().text(), "bucket.notes.erased");
  EXPECT_EQ(all[2].before["n"], value_view{2});
  EXPECT_FALSE(all[2].after);
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].bucket(), "notes");
    EXPECT_EQ(all[i].key(), value_view{1});
    EXPECT_EQ(all[i].why, cause::user);
    EXPECT_EQ(all[i].seq, all[0].seq + i) << "in the order of commits";
  }
}

TEST_F(event_rows, sources) {
  auto few = define(schema("few").key("id", integer()).capacity(1));
  listener heard{db};
  ASSERT_TRUE(notes.insert_many({{{"id", 1}}, {{"id", 2}}}).get());
  ASSERT_TRUE(notes.update_many({}, {{"n", 1}}).get());
  ASSERT_TRUE(notes.erase_many("id"_f == 2).get());
  ASSERT_TRUE(few.insert({{"id", 1}}).get());
  ASSERT_TRUE(few.insert({{"id", 2}}).get());
  ASSERT_TRUE(db.transact([&](transaction& tx) -> result<void> {
    return tx.in(notes).upsert({{"id", 1}, {"n", 2}}).get().map([](const record&) {});
  }));
  ASSERT_TRUE(notes.insert({{"id", 3}}, {.expires_in = std::chrono::hours{1}}).get());
  clock.advance(std::chrono::hours{1});
  ASSERT_EQ(db.purge().value(), 1u);
  std::vector<std::string> got;
  for (auto& c : heard.take(11))
    got.push_back(std::string{to_string(c.kind)} + " " + c.key().to_string() + " " +
                  std::string{to_string(c.why)});
  EXPECT_THAT(got, ElementsAre("inserted 1 user", "inserted 2 user", "updated 1 user",
                               "updated 2 user", "erased 2 user", "inserted 1 user",
                               "inserted 2 user", "erased 1 eviction", "updated 1 transaction",
                               "inserted 3 user", "erased 3 ttl"));
}

TEST_F(event_rows, of_upserts_say_what_each_became) {
  ASSERT_TRUE(notes.insert({{"id", 2}}).get());
  listener heard{db};
  ASSERT_TRUE(notes.upsert_many({{{"id", 1}}, {{"id", 2}, {"n", 1}}, {{"id", 3}}}).get());
  ASSERT_TRUE(notes.upsert({{"id", 1}, {"n", 1}}).get());
  ASSERT_TRUE(notes.upsert({{"id", 4}}).get());
  EXPECT_THAT(heard.texts(5), ElementsAre("notes.inserted 1", "notes.updated 2", "notes.inserted 3",
                                          "notes.updated 1", "notes.inserted 4"));
  auto all = heard.take(5);
  EXPECT_EQ(all[0].seq, all[2].seq) << "one commit";
}

TEST_F(event_rows, clear_update_bucket_and_drop_are_sources_too) {
  listener heard{db};
  ASSERT_TRUE(notes.insert({{"id", 1}}).get());
  ASSERT_TRUE(db.update_bucket("notes", bucket_update().add_field("m", integer().otherwise(7))));
  ASSERT_TRUE(notes.clear().get());
  ASSERT_TRUE(db.drop("notes"));
  auto all = heard.take(5);
  EXPECT_THAT(heard.texts(5), ElementsAre("notes.inserted 1", "notes.redefined", "notes.updated 1",
                                          "notes.cleared", "notes.dropped"));
  EXPECT_EQ(all[1].why, cause::schema);
  EXPECT_EQ(all[2].why, cause::schema);
  EXPECT_EQ(all[2].after["m"], value_view{7});
  EXPECT_EQ(all[3].why, cause::user);
  EXPECT_EQ(all[3].count, 1u);
  EXPECT_EQ(all[4].count, 0u);
}

TEST_F(event_rows, subscribers_may_be_actors) {
  std::promise<std::vector<std::string>> all;
  auto& system = db.runtime_in_use().system();
  auto actor = system.spawn([&all](caf::event_based_actor* self) -> caf::behavior {
    quiet(self);
    auto got = std::make_shared<std::vector<std::string>>();
    return {[&all, self, got](const event_mail& mail) {
      mail.take([&](const topic& where, const event& e) {
        got->push_back(where.text() + " " + static_cast<const change&>(e).key().to_string());
      });
      if (got->size() == 2) {
        all.set_value(*got);
        self->quit();
      }
    }};
  });
  auto token = db.on("bucket.notes.*", actor).value();
  ASSERT_TRUE(notes.insert({{"id", 1}}).get());
  ASSERT_TRUE(notes.erase(1).get());
  EXPECT_THAT(all.get_future().get(),
              ElementsAre("bucket.notes.inserted 1", "bucket.notes.erased 1"));
  token.cancel();
  EXPECT_EQ(db.on("bucket..x", actor).error(), errc::invalid_argument);
}

/// Collects what a bridge forwards.
struct rules {
  std::mutex mutex;
  std::vector<std::pair<std::string, object>> got;
  std::condition_variable came;

  event_receiver receiver() {
    return [this](const std::string& where, const object& data) {
      std::lock_guard lock{mutex};
      got.emplace_back(where, data);
      came.notify_all();
    };
  }
  auto take(std::size_t n) {
    std::unique_lock lock{mutex};
    came.wait_for(lock, std::chrono::seconds{20}, [&] { return got.size() >= n; });
    return got;
  }
};

struct bridge_rows : event_rows {
  rules engine;
};

TEST_F(bridge_rows, forwards_every_event) {
  auto link = bridge::connect(db, engine.receiver()).value();
  ASSERT_TRUE(notes.insert({{"id", 1}, {"n", 5}}).get());
  ASSERT_TRUE(notes.update(1, {{"n", 6}}).get());
  auto got = engine.take(2);
  EXPECT_EQ(got[0].first, "bucket.notes.inserted");
  EXPECT_EQ(*got[0].second.find("type"), "inserted");
  EXPECT_EQ(*got[0].second.find("key"), 1);
  EXPECT_EQ(*got[1].second.find("old_record")->as_object().find("n"), 5);
  EXPECT_EQ(*got[1].second.find("new_record")->as_object().find("n"), 6);
  link.disconnect();
  ASSERT_TRUE(notes.erase(1).get());
  EXPECT_FALSE(link.connected());
  EXPECT_EQ(link.counters().forwarded, 2u);
}

TEST_F(bridge_rows, filter_then_map_topic_then_map_data) {
  std::vector<std::string> order; // by the one callback thread
  bridge_options how;
  how.filter = [&](const change& c) {
    order.emplace_back("filter");
    return c.kind == change_kind::inserted;
  };
  how.map_topic = [&](const change& c) {
    order.emplace_back("topic");
    return "new/" + c.bucket();
  };
  how.map_data = [&](const change& c) {
    order.emplace_back("data");
    return object{{"id", value{c.key()}}};
  };
  auto link = bridge::connect(db, engine.receiver(), how).value();
  ASSERT_TRUE(notes.insert({{"id", 1}}).get());
  auto got = engine.take(1);
  EXPECT_EQ(got[0].first, "new/notes");
  EXPECT_EQ(got[0].second, (object{{"id", 1}}));
  ASSERT_TRUE(notes.erase(1).get());
  while (link.counters().filtered == 0)
    std::this_thread::yield();
  link.disconnect();
  EXPECT_THAT(order, ElementsAre("filter", "topic", "data", "filter"));
}

TEST_F(bridge_rows, failures_are_counted_and_never_fatal) {
  // What throws, by the number in the record: the filter, either mapping, the receiver.
  auto at = [](const change& c, int n, const char* what) {
    if (c.after["n"] == value_view{n})
      throw std::runtime_error(what);
  };
  bridge_options how;
  how.filter = [&](const change& c) { return at(c, 1, "filter"), true; };
  how.map_topic = [&](const change& c) { return at(c, 2, "topic"), std::string{"t"}; };
  how.map_data = [&](const change& c) {
    at(c, 3, "data");
    return object{{"n", value{c.after["n"]}}};
  };
  auto to = [&, all = engine.receiver()](const std::string& where, const object& data) {
    if (*data.find("n") == 4)
      throw std::runtime_error("receiver");
    all(where, data);
  };
  auto link = bridge::connect(db, to, how).value();
  for (int n = 1; n <= 5; ++n)
    ASSERT_TRUE(notes.insert({{"id", n}, {"n", n}}).get());
  EXPECT_EQ(*engine.take(1)[0].second.find("n"), 5);
  while (link.counters().forwarded == 0)
    std::this_thread::yield();
  EXPECT_EQ(link.counters().failed, 4u);
  EXPECT_EQ(link.counters().last_failure, "receiver");
  EXPECT_TRUE(link.connected());
}

TEST_F(bridge_rows, a_slow_receiver_loses_what_its_queue_cannot_hold) {
  std::promise<void> begun, go_on;
  auto gone = go_on.get_future().share();
  std::once_flag once;
  auto to = [&](const std::string&, const object&) {
    std::call_once(once, [&] { begun.set_value(); });
    gone.wait();
  };
  auto link = bridge::connect(db, to, {.queue = {.limit = 2}}).value();
  ASSERT_TRUE(notes.insert({{"id", 0}}).get());
  begun.get_future().wait();
  for (int n = 1; n <= 5; ++n)
    ASSERT_TRUE(notes.insert({{"id", n}}).get()) << "nobody waits for it";
  while (link.counters().dropped < 3)
    std::this_thread::yield();
  go_on.set_value();
  while (link.counters().forwarded < 3)
    std::this_thread::yield();
  EXPECT_EQ(link.counters().dropped, 3u);
}

} // namespace
} // namespace holdfast::testing
