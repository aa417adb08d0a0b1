// Whichever way a write of one record is refused, the error says of which record it speaks.
#include <holdfast/store/record_input.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <chrono>
#include <optional>

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

/// By the handle or in a transaction.
struct a_refused_write : ::testing::TestWithParam<bool> {
  store db = std::move(*store::start());
  bucket<> things = std::move(*db.define(schema("things")
                                             .key("id", integer())
                                             .field("n", integer())
                                             .field("mail", string().unique())));

  template <class F>
  error refusal(const bucket<>& of, F f) {
    if (!GetParam()) {
      auto done = f(of);
      return done ? error{errc::cancelled, "was not refused"} : done.error();
    }
    auto done = db.transact([&](transaction& tx) -> result<void> {
      const auto in = tx.in(of);
      auto r = f(in);
      return r ? result<void>{} : fail(r.error());
    });
    return done ? error{errc::cancelled, "was not refused"} : done.error();
  }
  template <class F>
  void expect(errc code, const char* key, const char* field, F f) {
    const auto e = refusal(things, f);
    EXPECT_EQ(e, code) << e.to_string();
    EXPECT_EQ(e.where().bucket, "things") << e.to_string();
    EXPECT_EQ(e.where().key, key) << e.to_string();
    EXPECT_EQ(e.where().field, field) << e.to_string();
    EXPECT_EQ(e.issues().size(), code == errc::invalid ? 1u : 0u) << e.to_string();
  }
};

TEST_P(a_refused_write, names_the_key_of_an_invalid_record) {
  ASSERT_TRUE(things.insert({{"id", 2}}).get());
  const auto invalid = errc::invalid;
  expect(invalid, "3", "n", [](auto& b) { return b.insert({{"id", 3}, {"n", "x"}}).get(); });
  expect(invalid, "3", "n", [&](auto& b) {
    return b.insert(draft{things.compiled(), {{"id", 3}, {"n", "x"}}}).get();
  });
  expect(invalid, "2", "n", [](auto& b) { return b.update(2, {{"n", "x"}}).get(); });
  expect(invalid, "2", "n", [](auto& b) { return b.upsert({{"id", 2}, {"n", "x"}}).get(); });
  expect(invalid, "3", "n", [](auto& b) { return b.upsert({{"id", 3}, {"n", "x"}}).get(); });
  expect(invalid, "2", "n", [](auto& b) {
    return b.modify(2, [](const record&) { return object{{"n", "x"}}; });
  });
  expect(invalid, "\"two\"", "id", [](auto& b) { return b.insert({{"id", "two"}}).get(); });
  expect(invalid, "", "id", [](auto& b) { return b.insert({{"n", 1}}).get(); });
}

TEST_P(a_refused_write, names_the_key_of_a_record_whose_deadline_makes_no_sense) {
  ASSERT_TRUE(things.insert({{"id", 2}}).get());
  const write_options past{.expires_in = -1ms};
  const auto senseless = errc::invalid_argument;
  expect(senseless, "3", "", [&](auto& b) { return b.insert({{"id", 3}}, past).get(); });
  expect(senseless, "2", "", [&](auto& b) { return b.update(2, {{"n", 1}}, past).get(); });
  expect(senseless, "2", "", [&](auto& b) { return b.upsert({{"id", 2}}, past).get(); });
  expect(senseless, "2", "", [&](auto& b) { return b.touch(2, past).get(); });
}

TEST_P(a_refused_write, names_the_key_of_a_record_with_a_value_of_another_one) {
  ASSERT_TRUE(things.insert({{"id", 1}, {"mail", "a"}}).get());
  ASSERT_TRUE(things.insert({{"id", 2}}).get());
  const auto taken = errc::duplicate;
  expect(taken, "3", "mail", [](auto& b) { return b.insert({{"id", 3}, {"mail", "a"}}).get(); });
  expect(taken, "2", "mail", [](auto& b) { return b.update(2, {{"mail", "a"}}).get(); });
  expect(taken, "2", "mail", [](auto& b) { return b.upsert({{"id", 2}, {"mail", "a"}}).get(); });
}

TEST_P(a_refused_write, of_a_record_that_refers_to_an_erased_one_names_both) {
  auto parents = std::move(*db.define(schema("p").key("id", integer())));
  auto children =
      std::move(*db.define(schema("c")
                               .key("id", integer())
                               .field("p", integer().references("p", on_delete::set_null))
                               .validate([](const record_input& r) -> std::vector<std::string> {
                                 return r["p"].is_null()
                                            ? std::vector<std::string>{"needs a parent"}
                                            : std::vector<std::string>{};
                               })));
  ASSERT_TRUE(parents.insert({{"id", 1}}).get());
  ASSERT_TRUE(children.insert({{"id", 7}, {"p", 1}}).get());
  const auto expect_both = [](const error& e) {
    EXPECT_EQ(e, errc::invalid) << e.to_string();
    EXPECT_THAT(e.message(), HasSubstr("p: erasing 1: c._record: needs a parent"));
    EXPECT_EQ(e.where().bucket, "c");
    EXPECT_EQ(e.where().key, "7");
    EXPECT_EQ(e.issues().size(), 1u);
  };
  expect_both(refusal(parents, [](auto& b) { return b.erase(1).get(); }));
  expect_both(refusal(parents, [](auto& b) { return b.erase_many("id"_f == 1).get(); }));
  expect_both(refusal(parents, [](auto& b) { return b.clear().get(); }));
  EXPECT_EQ(*parents.count().get(), 1u);
  EXPECT_EQ((*children.get(7).get())["p"], 1);
}

INSTANTIATE_TEST_SUITE_P(each, a_refused_write, ::testing::Bool(),
                         [](auto& param) { return param.param ? "transaction" : "handle"; });

} // namespace
} // namespace holdfast::testing
