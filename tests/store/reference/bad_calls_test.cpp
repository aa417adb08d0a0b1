// Arguments that make no sense, by every entry that is not a write of one record: told with the
// place, the value and the limit, and nothing changes.
#include "reference_fixture.hpp"

#include <holdfast/store/bridge.hpp>
#include <holdfast/store/filter_json.hpp>
#include <holdfast/store/gateway.hpp>
#include <holdfast/store/live_query.hpp>

#include <limits>

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

struct a_bad_call : reference_fixture {
  bucket<> things = define(schema("things").key("id", integer()).field("n", integer()));

  template <class Answer, class Request>
  result<Answer> ask(Request request) {
    std::promise<result<Answer>> got;
    db.runtime_in_use().system().spawn(
        [&, to = gateway_of(db).value()](caf::event_based_actor* self) {
          quiet(self);
          self->request(to, caf::infinite, request)
              .then([&](const result<Answer>& r) { got.set_value(r); },
                    [&](const caf::error& e) {
                      got.set_value(fail(errc::unavailable, caf::to_string(e)));
                    });
        });
    return got.get_future().get();
  }
  template <class T>
  static error told(const result<T>& r) {
    return r ? error{errc::cancelled, "was not refused"} : r.error();
  }
  static void expect(const error& e, errc code, const std::string& text) {
    EXPECT_EQ(e, code) << e.to_string();
    EXPECT_THAT(e.to_string(), HasSubstr(text));
    EXPECT_LT(e.to_string().size(), 600u) << "what is long is shown shortened";
  }
};

const std::string nul{"a\0b", 3};
const std::string endless(std::size_t{1} << 20, 'x');

TEST_F(a_bad_call, to_subscribe_is_told_what_is_wrong) {
  const auto then = db.stats().published;
  const auto nothing = [](const change&) {};
  const std::pair<std::string, const char*> patterns[] = {
      {"", "a segment is empty"},
      {"bucket..inserted", "a segment is empty"},
      {"bucket.a*", "* beside other text"},
      {"**.inserted", "** is not the last segment"},
      {endless, "1048576 bytes are above the limit 4096"},
  };
  for (auto& [pattern, text] : patterns) {
    expect(told(db.on(pattern, nothing)), errc::invalid_argument, text);
    expect(told(ask<subscription_id>(subscribe_events{pattern})), errc::invalid_argument, text);
    expect(told(bridge::connect(db, [](auto&, auto&) {}, {.pattern = pattern})),
           errc::invalid_argument, text);
  }
  std::string deep;
  for (int i = 0; i < 500'000; ++i)
    deep += "a.";
  expect(told(db.on(deep + "a", nothing)), errc::invalid_argument, "above the limit 4096");
  expect(told(db.on(deep.substr(0, 4094) + "aa", nothing)), errc::invalid_argument,
         "2048 segments are above the limit 64");
  EXPECT_TRUE(db.on(deep.substr(0, 126) + std::string(3970, 'a'), nothing)) << "4096 bytes, 64";
  expect(told(db.on("**", std::function<void(const change&)>{})), errc::invalid_argument,
         "app: on: the handler is empty");
  expect(told(db.on("**", caf::actor{})), errc::invalid_argument,
         "app: on: the subscriber is null");
  expect(told(bridge::connect(db, {})), errc::invalid_argument, "the receiver is empty");
  EXPECT_EQ(db.stats().published, then);
}

TEST_F(a_bad_call, with_a_limit_of_zero_waits_for_one) {
  listener heard{db};
  std::promise<void> got;
  auto token = db.on("**", [&](const change&) { got.set_value(); }, {.limit = 0}).value();
  ASSERT_TRUE(things.insert({{"id", 1}}).get());
  got.get_future().get();
}

TEST_F(a_bad_call, about_a_query_is_told_what_is_wrong) {
  const auto one = [](query_context&) { return 1; };
  for (auto& name : {std::string{}, nul, std::string{"\xff"}, std::string(256, 'x'), endless})
    expect(told(db.define_query(name, one)), errc::invalid_argument, "query: the name");
  expect(told(db.define_query("q", declared_query{.bucket = "none"})), errc::not_found, "none");
  ASSERT_TRUE(db.define_query("q", one));
  expect(told(db.subscribe("q", std::function<void(const query_update&)>{})),
         errc::invalid_argument, "app: subscribe: the handler is empty");
  expect(told(db.subscribe(endless, [](const query_update&) {})), errc::not_found, "xxx");
  expect(told(db.run(endless)), errc::not_found, "xxx");
  expect(told(db.run(nul)), errc::not_found, "a");
  expect(told(ask<query_value>(run_query{endless})), errc::not_found, "xxx");
  expect(told(ask<subscription_id>(subscribe_query{endless})), errc::not_found, "xxx");
}

TEST_F(a_bad_call, of_a_snapshot_of_another_store_is_refused) {
  auto other = store::start({.name = "other"}).value();
  auto theirs = other.define(schema("things").key("id", integer())).value();
  for (int i = 0; i < 10; ++i)
    ASSERT_TRUE(theirs.insert({{"id", i}}).get());
  const auto foreign = other.snapshot();
  EXPECT_THROW(things.at(foreign), contract_violation);
  expect(told(ask<record>(get_record{"things", 1, foreign})), errc::invalid_argument,
         "a snapshot of another store");
  expect(told(ask<records>(find_records{"things", {}, foreign})), errc::invalid_argument,
         "a snapshot of another store");
  expect(told(ask<bool>(contains_record{"things", 1, foreign})), errc::invalid_argument,
         "a snapshot of another store");
  EXPECT_TRUE(things.at(db.snapshot()).all().get());
}

TEST_F(a_bad_call, through_the_gateway_names_its_bucket_or_what_is_missing) {
  const auto then = db.stats().published;
  for (auto& name : {std::string{}, nul, endless, std::string{"none"}}) {
    expect(told(ask<record>(insert_record{name, object{{"id", 1}}})), errc::not_found, "no bucket");
    expect(told(ask<records>(find_records{name})), errc::not_found, "no bucket");
    expect(told(ask<schema>(describe_bucket{name})), errc::not_found, "no bucket");
    expect(told(ask<std::uint64_t>(purge_bucket{name})), errc::not_found, "no bucket");
    expect(told(ask<schema>(change_bucket{name, {}})), errc::not_found, "no bucket");
    EXPECT_EQ(ask<bool>(drop_bucket{name}), false);
  }
  expect(told(ask<record>(modify_record{"things", 1, nullptr})), errc::invalid_argument,
         "things: modify_record: the function is empty");
  expect(told(ask<value>(run_transaction{nullptr})), errc::invalid_argument,
         "app: run_transaction: the function is empty");
  expect(told(ask<void>(define_function_query{"q", {}})), errc::invalid_argument,
         "app: define_function_query: the function is empty");
  expect(told(ask<records>(last_records{.bucket = "things", .count = -1})), errc::invalid_argument,
         "-1");
  expect(told(ask<page>(page_records{"things", {}, 10, nul})), errc::invalid_argument, "cursor");
  expect(told(ask<page>(page_records{"things", {}, 10, endless})), errc::invalid_argument,
         "cursor");
  expect(told(ask<page>(page_records{"things", {}, 0, {}})), errc::invalid_argument, "0");
  expect(told(ask<value>(aggregate_records{"things", aggregate_records::function::sum, endless})),
         errc::invalid_argument, "things");
  EXPECT_EQ(db.stats().published, then);
  EXPECT_TRUE(db.has_bucket("things"));
}

TEST_F(a_bad_call, that_names_fields_that_there_are_not_is_refused_by_every_read) {
  ASSERT_TRUE(things.insert({{"id", 1}}).get());
  const auto expect_all_refuse = [](const selection& what) {
    auto ignored = [](const record_view&) {};
    for (auto& e : {told(what.all().get()), told(what.objects().get()), told(what.find_one().get()),
                    told(what.count().get()), told(what.first(1).get()), told(what.last(1).get()),
                    told(what.page_of(1).get()), told(what.sum("n").get()),
                    told(what.avg("n").get()), told(what.min("n").get()), told(what.max("n").get()),
                    told(what.group_by({"n"}, {aggregate::count()}).get()),
                    told(what.visit(ignored)), told(what.explain())})
      expect(e, errc::invalid_argument, "things.zz: no such field");
  };
  expect_all_refuse(things.everything().fields({"n", "zz"}));
  expect_all_refuse(things.at(db.snapshot()).everything().fields({"zz"}));
  ASSERT_TRUE(db.transact([&](transaction& tx) -> result<void> {
    expect_all_refuse(tx.in(things).everything().fields({"zz"}));
    return {};
  }));
  EXPECT_EQ(things.everything().fields({"n"}).all().get()->size(), 1u);
}

TEST_F(a_bad_call, with_a_number_that_stands_for_nothing_is_told_so) {
  const auto no_level = static_cast<durability>(9);
  const auto none_such = "none of those that there are";
  const auto nobody = things.with(no_level);
  for (auto& e : {told(nobody.insert({{"id", 1}}).get()), told(nobody.purge()),
                  told(nobody.modify(1, [](const record&) { return object{}; })),
                  told(ask<record>(insert_record{"things", object{{"id", 1}}, no_level})),
                  told(ask<std::uint64_t>(purge_bucket{"things", no_level})),
                  told(things.everything()
                           .group_by({}, {aggregate{static_cast<aggregate::function>(9), "n"}})
                           .get()),
                  told(ask<value>(aggregate_records{
                      "things", static_cast<aggregate_records::function>(9), "n"}))})
    if (e != errc::not_found) // what there is to modify is looked for first
      expect(e, errc::invalid_argument, none_such);
  EXPECT_FALSE(things.contains(1));
  expect(told(db.transact(
             [&](transaction& tx) {
               return tx.in(things).insert({{"id", 1}}).get().map([](auto&&) {});
             },
             {.durability = no_level})),
         errc::invalid_argument, none_such);
  expect(told(store::start({.durability = no_level})), errc::invalid_argument, none_such);
}

TEST_F(a_bad_call, of_a_transaction_with_strange_options_does_what_they_say) {
  auto put = [&](transaction& tx) -> result<void> {
    return tx.in(things).insert({{"id", 1}}).get().map([](auto&&) {});
  };
  expect(told(db.transact(put, {.timeout = -1ms})), errc::timeout, "");
  expect(told(db.transact(put, {.timeout = std::chrono::milliseconds::min()})), errc::timeout, "");
  EXPECT_EQ(*things.count().get(), 0u) << "nothing happened";
  EXPECT_TRUE(db.transact(put, {.retries = -5, .exclusive_retries = -5}));
}

TEST_F(a_bad_call, with_a_time_that_is_over_times_out) {
  disk->hold();
  expect(told(things.insert({{"id", 1}}).get(std::chrono::milliseconds::min())),
         errc::outcome_unknown, "ms");
  expect(told(db.sync(std::chrono::milliseconds::min())), errc::timeout, "sync");
  disk->release();
  ASSERT_TRUE(db.sync());
  EXPECT_TRUE(db.sync(-1ms)) << "nothing to wait for";
  EXPECT_TRUE(things.contains(1));
}

TEST_F(a_bad_call, in_json_is_told_with_the_place) {
  const std::pair<std::string, const char*> table[] = {
      {"", "query"},
      {"[]", "query"},
      {R"({"limit": -1})", "query.limit"},
      {R"({"limit": 1.5})", "query.limit"},
      {R"({"limit": 1e30})", "query.limit"},
      {R"({"offset": "1"})", "query.offset"},
      {R"({"sort": 1})", "query.sort"},
      {R"({"sort": [{"field": "n", "direction": "up"}]})", "query.sort"},
      {R"({"fields": [1]})", "query.fields"},
      {R"({"filter": []})", "query.filter"},
      {R"({"colour": 1})", "colour"},
      {"{\"" + endless + "\": 1}", "query"},
      {"{\"limit\": " + std::string(1000, '9') + "}", "query"},
      {std::string(100'000, '['), "query"},
      {std::string("{\"limit\": 1}\0", 13), "query: malformed JSON: byte 13 is NUL"},
      {std::string("{}\0{{{", 6), "byte 3 is NUL"},
  };
  for (auto& [text, place] : table) {
    SCOPED_TRACE(text.substr(0, 60));
    expect(told(query_from_json(text)), errc::invalid_argument, place);
  }
}

TEST_F(a_bad_call, to_a_store_that_has_stopped_is_told_that) {
  ASSERT_TRUE(things.insert({{"id", 1}}).get());
  ASSERT_TRUE(db.stop());
  const auto is_stopped = [](const auto& r) { expect(told(r), errc::stopped, "has stopped"); };
  is_stopped(db.on("bucket.**", [](const change&) {}));
  is_stopped(db.purge());
  is_stopped(db.define(schema("more").key("id", integer())));
  is_stopped(db.update_bucket("things", bucket_update().add_index("n")));
  is_stopped(db.drop("things"));
  is_stopped(db.reopen());
  is_stopped(things.insert({{"id", 2}}).get());
  is_stopped(things.count().get());
}

} // namespace
} // namespace holdfast::testing
