// The durability that a request to the gateway asks for: what a handle of that durability does.
#include "gateway_fixture.hpp"

#include <holdfast/store/memory_journal.hpp>

namespace holdfast {
namespace {

using holdfast_tests::guest;

/// Over a journal whose commits are acknowledged long before they are written, unless a request
/// says otherwise.
struct a_gateway_to_a_disk : testing::a_gateway {
  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
  store kept = std::move(*store::start(options()));
  bucket<guest> residents = std::move(*kept.define<guest>());
  bucket<> notes =
      *kept.define(schema("notes").key("id", integer()).field("text", string()).persistent(false));

  store_options options() {
    store_options out;
    out.journal = memory_journal(disk);
    out.durability = durability::async;
    out.async_delay = std::chrono::hours{1};
    out.runtime = &rt;
    return out;
  }
  void SetUp() override {
    gateway = gateway_of(kept).value();
    ASSERT_TRUE(residents.insert({"ann", 30}).get());
    ASSERT_TRUE(kept.sync());
  }
  /// What the request is answered with is what the handle of that durability answers.
  template <class T, class Request>
  void expect_refused(const char* what, const Request& request, const result<T>& by_handle) {
    auto answer = ask<T>(request);
    ASSERT_FALSE(answer) << what;
    ASSERT_FALSE(by_handle) << what;
    EXPECT_EQ(answer.error(), errc::invalid_argument) << what;
    EXPECT_EQ(by_handle.error(), errc::invalid_argument) << what;
    EXPECT_EQ(answer.error().message(), by_handle.error().message()) << what;
    EXPECT_EQ(answer.error().message(), "guests: durability none: the bucket is persistent");
  }
};

TEST_P(a_gateway_to_a_disk, refuses_none_for_a_persistent_bucket_as_a_handle_does) {
  constexpr auto none = durability::none;
  const auto by_handle = residents.plain().with(none);
  const object bob{{"id", "bob"}, {"age", 20}}, ann{{"id", "ann"}, {"age", 31}}, older{{"age", 31}};
  const auto all = "age"_f >= 0;
  const auto change = [older](const record&) -> result<object> { return older; };
  const write_options soon{.expires_in = std::chrono::hours{1}};
  const auto seq = kept.stats().published;

  expect_refused("insert", insert_record{"guests", bob, none}, by_handle.insert(bob).get());
  expect_refused("insert_many", insert_records{"guests", {bob}, none},
                 by_handle.insert_many({bob}).get());
  expect_refused("update", update_record{"guests", "ann", older, none},
                 by_handle.update("ann", older).get());
  expect_refused("touch", touch_record{"guests", "ann", none, soon},
                 by_handle.touch("ann", soon).get());
  expect_refused("modify", modify_record{"guests", "ann", change, none},
                 by_handle.modify("ann", change));
  expect_refused("upsert", upsert_record{"guests", ann, none}, by_handle.upsert(ann).get());
  expect_refused("erase", erase_record{"guests", "ann", none}, by_handle.erase("ann").get());
  expect_refused("upsert_many", upsert_records{"guests", {ann, bob}, none},
                 by_handle.upsert_many({ann, bob}).get());
  expect_refused("update_many", update_records{"guests", all, older, none},
                 by_handle.update_many(all, older).get());
  expect_refused("erase_many", erase_records{"guests", all, none}, by_handle.erase_many(all).get());
  expect_refused("clear", clear_bucket{"guests", none}, by_handle.clear().get());
  expect_refused("purge", purge_bucket{"guests", none}, by_handle.purge());

  EXPECT_EQ(kept.stats().published, seq);
  EXPECT_EQ(*residents.count().get(), 1u);
  EXPECT_EQ(residents.get("ann").get()->age, 30);
}

TEST_P(a_gateway_to_a_disk, answers_a_sync_request_when_it_is_on_disk) {
  auto soon = ask<record>(insert_record{"guests", to_object(guest{"bob", 20})});
  ASSERT_TRUE(soon) << "the store's own level does not wait: " << soon.error().to_string();
  EXPECT_LT(kept.stats().durable, kept.stats().published);

  constexpr auto sync = durability::sync;
  auto on_disk = [&](const auto& answer) {
    EXPECT_TRUE(answer) << answer.error().to_string();
    auto now = kept.stats();
    EXPECT_EQ(now.durable, now.published);
    EXPECT_EQ(disk->unsynced(), 0u);
  };
  on_disk(ask<record>(insert_record{"guests", to_object(guest{"cyd", 40}), sync}));
  on_disk(ask<record>(update_record{"guests", "cyd", {{"age", 41}}, sync}));
  on_disk(ask<records>(upsert_records{"guests", {to_object(guest{"dan", 50})}, sync}));
  on_disk(ask<std::uint64_t>(update_records{"guests", "age"_f > 40, {{"age", 60}}, sync}));
  on_disk(ask<record>(erase_record{"guests", "bob", sync}));
  disk->crash();
  EXPECT_TRUE(kept.stop());

  kept = std::move(*store::start(options()));
  residents = std::move(*kept.define<guest>());
  EXPECT_EQ(*residents.count().get(), 3u);
  EXPECT_EQ(residents.get("ann").get()->age, 30);
  EXPECT_EQ(residents.get("cyd").get()->age, 60);
  EXPECT_EQ(residents.get("dan").get()->age, 60);
  gateway = gateway_of(kept).value();
  auto found = ask<restore_report>(describe_restore{});
  ASSERT_TRUE(found) << found.error().to_string();
  EXPECT_EQ(found->records, 3u);
}

TEST_P(a_gateway_to_a_disk, takes_any_level_for_a_bucket_in_memory) {
  int id = 0;
  for (auto level : {durability::sync, durability::group, durability::async, durability::none}) {
    auto added = ask<record>(insert_record{"notes", {{"id", ++id}, {"text", "x"}}, level});
    ASSERT_TRUE(added) << to_string(level) << ": " << added.error().to_string();
    EXPECT_TRUE(ask<record>(update_record{"notes", id, {{"text", "y"}}, level}))
        << to_string(level);
  }
  EXPECT_EQ(*notes.count("text"_f == "y").get(), 4u);
  EXPECT_EQ(*ask<std::uint64_t>(clear_bucket{"notes", durability::none}), 4u);
}

// A journal's writer is a thread, which the deterministic scheduler does not run.
INSTANTIATE_TEST_SUITE_P(, a_gateway_to_a_disk, ::testing::Values(false),
                         [](auto&) { return "threaded"; });

} // namespace
} // namespace holdfast
