// What a store's options allow its records, its writers and its followers.
#include <holdfast/store/memory_journal.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <atomic>
#include <latch>
#include <string>
#include <thread>

namespace holdfast {
namespace {

using ::testing::HasSubstr;

constexpr record_limits small{
    .value_bytes = 100, .record_bytes = 250, .key_bytes = 8, .fields = 5, .depth = 2};

schema notes() {
  return schema("notes").key("id", string()).field("text", string()).field("list", array_of());
}
store opened(std::shared_ptr<memory_disk> disk, const record_limits& limits) {
  store_options options;
  options.journal = memory_journal(std::move(disk));
  options.limits = limits;
  return store::start(std::move(options)).value();
}
/// Which of a record's fields are at fault and why, e.g. "text: 101 bytes are above the limit 100".
std::string told(const result<record>& wrote) { return wrote ? "" : wrote.error().to_string(); }
std::string text(std::size_t bytes) { return std::string(bytes, 'x'); }

TEST(a_stores_limits, hold_for_every_record_that_is_written) {
  auto db = opened(std::make_shared<memory_disk>(), small);
  auto b = db.define(notes()).value();
  EXPECT_EQ(told(b.insert({{"id", "at most"}, {"text", text(100)}}).get()), "");
  EXPECT_THAT(told(b.insert({{"id", "a"}, {"text", text(101)}}).get()),
              HasSubstr("text: 101 bytes are above the limit 100"));
  EXPECT_THAT(told(b.insert({{"id", "a"}, {"other", text(101)}}).get()),
              HasSubstr("bytes are above the limit 100"));
  EXPECT_THAT(told(b.insert({{"id", "123456789"}}).get()),
              HasSubstr("id: 9 bytes are above the limit 8"));
  EXPECT_THAT(told(b.insert({{"id", "a"}, {"u", 1}, {"v", 1}, {"w", 1}}).get()),
              HasSubstr("6 fields are above the limit 5"));
  const array one{1}, two{value{one}}, three{value{two}};
  EXPECT_EQ(told(b.insert({{"id", "deep"}, {"list", two}}).get()), "");
  EXPECT_THAT(told(b.insert({{"id", "a"}, {"list", three}}).get()),
              HasSubstr("list: nested deeper than the limit 2"));
  EXPECT_THAT(
      told(b.insert({{"id", "a"}, {"text", text(90)}, {"u", text(90)}, {"v", text(90)}}).get()),
      HasSubstr("bytes are above the limit 250"));
  EXPECT_EQ(b.count().get().value(), 2u);
}

TEST(a_stores_limits, refuse_a_definition_no_record_of_which_could_be_stored) {
  auto disk = std::make_shared<memory_disk>();
  auto wide = notes();
  for (auto* name : {"a", "b"})
    wide.field(name, integer());
  auto wider = wide;
  wider.field("c", integer());
  {
    auto db = opened(disk, small);
    auto refused = db.define(wider);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), errc::invalid_schema);
    EXPECT_THAT(refused.error().message(), HasSubstr("notes: 6 fields are above the limit 5"));
    EXPECT_FALSE(db.has_bucket("notes"));
    ASSERT_TRUE(db.define(wide));
    auto grown = db.update_bucket("notes", bucket_update{}.add_field("c", integer()));
    ASSERT_FALSE(grown);
    EXPECT_THAT(grown.error().message(), HasSubstr("notes: 6 fields are above the limit 5"));
    ASSERT_TRUE(db.stop());
  }
  {
    auto db = opened(disk, {});
    ASSERT_TRUE(db.define(wide));
    ASSERT_TRUE(db.update_bucket("notes", bucket_update{}.add_field("c", integer())));
    ASSERT_TRUE(db.bucket("notes")->insert({{"id", "old"}, {"c", 1}}).get());
    ASSERT_TRUE(db.stop());
  }
  auto db = opened(disk, small); // what is there stays
  EXPECT_EQ((*db.define(wider)->get("old").get())["c"], 1);
}

TEST(a_stores_limits, hold_for_updates_bulk_work_and_transactions) {
  auto db = opened(std::make_shared<memory_disk>(), small);
  auto b = db.define(notes()).value();
  ASSERT_TRUE(b.insert({{"id", "a"}, {"text", text(90)}, {"u", text(90)}}).get());
  EXPECT_THAT(told(b.update("a", {{"text", text(101)}}).get()), HasSubstr("limit 100"));
  EXPECT_THAT(told(b.update("a", {{"v", text(90)}}).get()), HasSubstr("limit 250"));
  EXPECT_THAT(told(b.upsert({{"id", "a"}, {"text", text(101)}}).get()), HasSubstr("limit 100"));
  EXPECT_THAT(
      b.insert_many({{{"id", "b"}}, {{"id", "c"}, {"text", text(101)}}}).get().error().to_string(),
      HasSubstr("limit 100"));
  auto in_one = db.transact([&](transaction& tx) -> result<record> {
    return tx.in(b).insert({{"id", "d"}, {"text", text(101)}}).get();
  });
  EXPECT_THAT(told(in_one), HasSubstr("limit 100"));
  EXPECT_EQ(b.count().get().value(), 1u);
}

TEST(a_stores_limits, hold_for_orders_and_groups) {
  auto db = store::start({.limits = {.order_terms = 2, .group_fields = 2}}).value();
  auto b = db.define(notes()).value();
  ASSERT_TRUE(b.insert({{"id", "a"}}).get());
  EXPECT_TRUE(b.everything().order_by("id").then_by("text").all().get());
  auto orders = b.everything().order_by("id").then_by("text").then_by("id").all().get();
  ASSERT_FALSE(orders);
  EXPECT_EQ(orders.error(), errc::invalid_argument);
  EXPECT_EQ(orders.error().message(), "notes: an order of 3 terms is above the limit 2");
  const auto one = aggregate::count();
  EXPECT_TRUE(b.everything().group_by({"id", "text"}, {one, one}).get());
  for (auto& wide : {b.everything().group_by({"id", "text", "id"}, {one}).get(),
                     b.everything().group_by({"id"}, {one, one, one}).get()}) {
    ASSERT_FALSE(wide);
    EXPECT_EQ(wide.error(), errc::invalid_argument);
    EXPECT_EQ(wide.error().message(), "notes: group_by 3 fields is above the limit 2");
  }
  for (auto& wrong : {record_limits{.order_terms = 0}, record_limits{.order_terms = 9},
                      record_limits{.group_fields = 0}, record_limits{.group_fields = 65}}) {
    auto refused = store::start({.limits = wrong});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error(), errc::invalid_argument);
  }
}

TEST(a_stores_limits, let_an_index_be_over_so_many_fields_and_no_more) {
  auto db = store::start().value();
  auto wide = schema("wide").key("id", string());
  std::vector<std::string> names;
  for (std::size_t i = 0; i <= max_index_fields; ++i)
    wide.field(names.emplace_back("f" + std::to_string(i)), integer());
  auto most = wide;
  most.index(std::vector<std::string>{names.begin(), names.end() - 1});
  EXPECT_TRUE(db.define(most));
  wide.index(names);
  EXPECT_THAT(db.define(wide).error().to_string(),
              HasSubstr("above the limit " + std::to_string(max_index_fields)));
}

TEST(a_stores_limits, hold_for_names_and_for_what_is_nested_in_a_definition) {
  auto disk = std::make_shared<memory_disk>();
  auto deep = [](std::string name) {
    return schema(std::move(name))
        .key("id", string())
        .field("list", array_of().items(
                           object_of().property("inner", object_of().property("x", integer()))));
  };
  const auto named = schema("names").key("id", string()).field("nine_byte", integer());
  ASSERT_TRUE(opened(disk, {}).define(deep("deep")));
  auto db = opened(disk, {.name_bytes = 8, .nesting = 2, .issues = 2});
  EXPECT_TRUE(db.define(deep("deep"))) << "what is there stays";
  auto refused = [&](const schema& s) {
    auto made = db.define(s);
    EXPECT_TRUE(made || made.error() == errc::invalid_schema);
    return made ? "" : made.error().message();
  };
  EXPECT_EQ(refused(deep("deeper")), "deeper.list[].inner: nested deeper than the limit 2");
  EXPECT_EQ(refused(named), "names.nine_byte: the name has 9 bytes, above the limit 8");
  EXPECT_EQ(refused(schema("nine_byte").key("id", string())),
            "nine_byte: the name has 9 bytes, above the limit 8");
  EXPECT_EQ(refused(schema("inner")
                        .key("id", string())
                        .field("o", object_of().property("nine_byte", integer()))),
            "inner.o.nine_byte: the name has 9 bytes, above the limit 8");
  auto b = db.define(schema("notes").key("id", string())).value();
  EXPECT_EQ(db.update_bucket("notes", bucket_update{}.add_field("nine_byte", integer()))
                .error()
                .message(),
            "notes.nine_byte: the name has 9 bytes, above the limit 8");
  EXPECT_EQ(told(b.insert({{"id", "a"}, {"eight_by", 1}}).get()), "");
  EXPECT_THAT(told(b.insert({{"id", "b"}, {"nine_byte", 1}}).get()),
              HasSubstr("the name has 9 bytes, above the limit 8"));
}

TEST(a_stores_limits, hold_for_the_violations_that_an_error_lists) {
  auto wide = schema("wide").key("id", integer());
  object wrong{{"id", 1}};
  for (auto* name : {"a", "b", "c", "d"}) {
    wide.field(name, integer().max(0));
    wrong.set(name, 1);
  }
  for (auto [most, listed] : {std::pair{2u, 2u}, std::pair{100u, 4u}}) {
    auto db = store::start({.limits = {.issues = most}}).value();
    auto b = db.define(wide).value();
    const auto refused = b.insert(wrong).get().error();
    EXPECT_EQ(refused.issues().size(), listed);
    EXPECT_EQ(refused.message(), most == 2 ? "wide: 4 violations, of which the first 2 are listed"
                                           : "wide: 4 violations");
  }
}

TEST(a_stores_limits, leave_records_from_before_as_they_are) {
  auto disk = std::make_shared<memory_disk>();
  {
    auto db = opened(disk, {});
    auto b = db.define(notes()).value();
    ASSERT_TRUE(b.insert({{"id", "long before"}, {"text", text(10'000)}}).get());
    ASSERT_TRUE(db.stop());
  }
  auto db = opened(disk, small);
  auto b = db.bucket("notes").value(); // as it was restored
  EXPECT_THAT(told(b.insert({{"id", "a"}, {"text", text(101)}}).get()), HasSubstr("limit 100"));
  b = db.define(notes()).value();
  EXPECT_EQ(b.get("long before").get().value()["text"].as_string().size(), 10'000u);
  EXPECT_THAT(told(b.update("long before", {{"u", 1}}).get()), HasSubstr("limit 250"));
  EXPECT_TRUE(b.update("long before", {{"text", "short"}}).get());
  EXPECT_TRUE(b.erase("long before").get());
}

TEST(a_stores_limits, are_within_what_the_format_allows) {
  auto refusal = [](const record_limits& asked) {
    store_options options;
    options.name = "mine";
    options.limits = asked;
    auto started = store::start(std::move(options));
    return started ? std::string{} : started.error().to_string();
  };
  EXPECT_EQ(refusal({}), "");
  EXPECT_THAT(refusal({.value_bytes = (16u << 20) + 1}),
              HasSubstr("mine: limits.value_bytes 16777217 is not within 1 and 16777216"));
  EXPECT_THAT(refusal({.record_bytes = 0}), HasSubstr("mine: limits.record_bytes 0 is not within"));
  EXPECT_THAT(refusal({.key_bytes = 1025}), HasSubstr("limits.key_bytes 1025"));
  EXPECT_THAT(refusal({.fields = 1025}), HasSubstr("limits.fields 1025"));
  EXPECT_THAT(refusal({.depth = 0}), HasSubstr("limits.depth 0 is not within"));
  EXPECT_THAT(refusal({.depth = 33}), HasSubstr("limits.depth 33 is not within 1 and 32"));
  EXPECT_THAT(refusal({.name_bytes = 256}), HasSubstr("limits.name_bytes 256 is not within 1"));
  EXPECT_THAT(refusal({.nesting = 11}), HasSubstr("limits.nesting 11 is not within 1 and 10"));
  EXPECT_THAT(refusal({.issues = 0}), HasSubstr("limits.issues 0 is not within 1 and 100"));
  EXPECT_THAT(refusal({.filter_depth = 101}), HasSubstr("limits.filter_depth 101"));
  EXPECT_THAT(refusal({.filter_terms = 0}), HasSubstr("limits.filter_terms 0"));
}

TEST(a_stores_limits, hold_for_filters) {
  auto disk = std::make_shared<memory_disk>();
  ASSERT_TRUE(opened(disk, {}).define(notes()));
  auto db = opened(disk, {.filter_depth = 2, .filter_terms = 6});
  auto b = db.define(notes()).value(); // that was there already
  const auto a = "text"_f == "a", c = "text"_f == "c", d = "id"_f == "d";
  EXPECT_TRUE(b.where((a && c) || d).all().get());
  auto refused = [&](const filter& f) {
    auto all = b.where(f).all().get();
    auto bulk = b.erase_many(f).get();
    EXPECT_TRUE(!all && !bulk && all.error().message() == bulk.error().message());
    return all ? "" : all.error().to_string();
  };
  EXPECT_THAT(refused(a || (c && (d || a))), HasSubstr("notes: the filter has more than 2 levels"));
  EXPECT_THAT(refused(a || c || d || "id"_f == "e" || "id"_f == "f" || "id"_f == "g"),
              HasSubstr("notes: the filter has more than 6 terms"));
}

TEST(a_stores_limits, let_at_least_one_wait_of_each_kind) {
  const std::pair<const char*, std::size_t store_options::*> all[] = {
      {"feed_commits", &store_options::feed_commits},
      {"backlog_commits", &store_options::backlog_commits},
      {"backlog_bytes", &store_options::backlog_bytes},
      {"gateway_requests", &store_options::gateway_requests}};
  for (auto& [name, member] : all) {
    store_options options;
    options.*member = 0;
    auto started = store::start(std::move(options));
    ASSERT_FALSE(started) << name;
    EXPECT_EQ(started.error().code(), errc::invalid_argument);
    EXPECT_THAT(started.error().to_string(),
                HasSubstr(std::string{"store: "} + name + " 0 is below the minimum"));
  }
}

TEST(a_stores_limits, hold_writers_up_while_a_follower_is_that_far_behind) {
  store_options options;
  options.feed_commits = 4;
  auto db = store::start(std::move(options)).value();
  auto b = db.define(notes()).value();
  std::latch entered{1}, leave{1};
  std::atomic<int> runs{0};
  ASSERT_TRUE(db.define_query("slow", [&](query_context& in) {
    if (++runs == 2) {
      entered.count_down();
      leave.wait();
    }
    return in.in(b).count();
  }));
  auto token = db.subscribe("slow", [](const query_update&) {}).value();
  constexpr int writes = 50;
  std::atomic<int> written{0};
  std::thread writer{[&] {
    for (int i = 0; i < writes; ++i, ++written)
      EXPECT_TRUE(b.insert({{"id", std::to_string(i)}}).get());
  }};
  entered.wait();
  while (db.stats().feed_backlog < 4)
    std::this_thread::yield();
  EXPECT_LT(written, writes);
  EXPECT_LE(db.stats().feed_backlog, 5u); // one may have been past the look
  leave.count_down();
  writer.join();
  EXPECT_EQ(b.count().get().value(), static_cast<std::uint64_t>(writes));
  EXPECT_TRUE(db.settle());
}

} // namespace
} // namespace holdfast
