// Keys that no record of the bucket can have, by every operation that takes one: there is no such
// record, the error says so with the place, and nothing changes - no record, no seq, no event.
#include "reference_fixture.hpp"

#include <limits>

namespace holdfast::testing {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t longest_key = record_limits{}.key_bytes;

/// An operation on the record of a key; gives what it was answered.
struct keyed_operation {
  const char* name;
  result<void> (*call)(store& db, bucket<>& on, const value& key);
};

template <class T>
result<void> answer(result<T> r) {
  return r ? result<void>{} : fail(r.error());
}
/// The same in a transaction, which fails as its only part does.
template <class F>
result<void> in_one(store& db, bucket<>& on, F operation) {
  return db.transact([&](transaction& tx) { return answer(operation(tx.in(on)).get()); });
}

const write_options a_deadline{.expires_in = std::chrono::hours{1}};
const object a_change{{"n", 2}};

const keyed_operation keyed_operations[] = {
    {"get",
     [](store&, bucket<>& on, const value& key) {
       EXPECT_FALSE(on.contains(key));
       EXPECT_FALSE(on.visit(key, [](const record_view&) { ADD_FAILURE(); }).value());
       return answer(on.get(key).get());
     }},
    {"update",
     [](store&, bucket<>& on, const value& key) { return answer(on.update(key, a_change).get()); }},
    {"erase", [](store&, bucket<>& on, const value& key) { return answer(on.erase(key).get()); }},
    {"touch", [](store&, bucket<>& on,
                 const value& key) { return answer(on.touch(key, a_deadline).get()); }},
    {"modify",
     [](store&, bucket<>& on, const value& key) {
       return answer(on.modify(key, [](const record&) {
         ADD_FAILURE() << "there is nothing to change";
         return a_change;
       }));
     }},
    {"get_in_a_transaction",
     [](store& db, bucket<>& on, const value& key) {
       return in_one(db, on, [&](const bucket<>& in) { return in.get(key); });
     }},
    {"update_in_a_transaction",
     [](store& db, bucket<>& on, const value& key) {
       return in_one(db, on, [&](const bucket<>& in) { return in.update(key, a_change); });
     }},
    {"erase_in_a_transaction",
     [](store& db, bucket<>& on, const value& key) {
       return in_one(db, on, [&](const bucket<>& in) { return in.erase(key); });
     }},
    {"touch_in_a_transaction",
     [](store& db, bucket<>& on, const value& key) {
       return in_one(db, on, [&](const bucket<>& in) { return in.touch(key, a_deadline); });
     }},
};

struct a_key : reference_fixture {
  bucket<> texts = define(schema("texts").key("id", string()).field("n", integer()));
  bucket<> numbers = define(schema("numbers").key("id", integer()).field("n", integer()));
  bucket<> other = define(schema("other").key("id", integer()));

  void SetUp() override {
    // Each is what a careless reading would make of one of the bad keys.
    for (const auto& id : {std::string{"1"}, std::string{""}, std::string{"null"},
                           std::string{"[\"1\"]"}, std::string(longest_key, 'k')})
      ASSERT_TRUE(texts.insert({{"id", id}, {"n", 1}}).get());
    for (auto id : {0, 1, std::numeric_limits<int>::max()})
      ASSERT_TRUE(numbers.insert({{"id", id}, {"n", 1}}).get());
  }
};
struct a_bad_key : a_key, ::testing::WithParamInterface<keyed_operation> {
  void expect_absent(bucket<>& in, const value& key) {
    auto r = GetParam().call(db, in, key);
    ASSERT_FALSE(r) << in.name();
    EXPECT_EQ(r.error(), errc::not_found) << r.error().to_string();
    EXPECT_THAT(r.error().message(), HasSubstr(in.name() + ": no record has the key "));
    EXPECT_LT(r.error().message().size(), 120u) << "a long key is shown shortened";
    EXPECT_EQ(r.error().where().bucket, in.name());
    EXPECT_EQ(r.error().where().key, key.to_string());
  }
};

TEST_P(a_bad_key, is_the_key_of_no_record_and_changes_nothing) {
  const auto then = db.stats();
  const std::vector<record> as_they_were[] = {*texts.all().get(), *numbers.all().get()};
  {
    listener heard{db};
    const value text_keys[] = {1,
                               1.0,
                               true,
                               nullptr,
                               array{},
                               array{"1"},
                               object{{"id", "1"}},
                               "\xff",
                               "1\xc3",
                               std::string(longest_key + 1, 'k'),
                               std::string(std::size_t{1} << 20, 'k')};
    for (auto& key : text_keys)
      expect_absent(texts, key);
    const value number_keys[] = {"1",
                                 "",
                                 "\xff",
                                 std::string(longest_key + 1, '1'),
                                 true,
                                 false,
                                 nullptr,
                                 0.5,
                                 1e300,
                                 std::numeric_limits<double>::quiet_NaN(),
                                 -std::numeric_limits<double>::infinity(),
                                 array{1},
                                 object{{"id", 1}}};
    for (auto& key : number_keys)
      expect_absent(numbers, key);
    ASSERT_TRUE(other.insert({{"id", 7}}).get());
    EXPECT_THAT(heard.texts(1), ::testing::ElementsAre("other.inserted 7")) << "nothing before it";
  }
  EXPECT_EQ(db.stats().published, then.published + 1) << "that of the other bucket";
  EXPECT_EQ(db.stats().records, then.records + 1);
  std::size_t i = 0;
  for (auto* each : {&texts, &numbers}) {
    auto now = each->all().get().value();
    auto& before = as_they_were[i++];
    ASSERT_EQ(now.size(), before.size());
    for (std::size_t at = 0; at < now.size(); ++at) {
      EXPECT_EQ(now[at].key(), before[at].key());
      EXPECT_EQ(now[at].version(), 1u);
      EXPECT_EQ(now[at]["n"], value_view{1});
      EXPECT_FALSE(now[at].expires_at());
    }
  }
}

TEST_F(a_key, is_one_up_to_the_greatest_length_and_as_a_whole_real) {
  const std::string longest(longest_key, 'k');
  EXPECT_TRUE(texts.get(longest).get());
  EXPECT_EQ(texts.update(longest, a_change).get()->version(), 2u);
  EXPECT_TRUE(texts.touch(longest, a_deadline).get()->expires_at());
  EXPECT_EQ((*texts.erase(longest).get())["n"], value_view{2});
  EXPECT_EQ(texts.insert({{"id", longest + "k"}}).get().error(), errc::invalid);
  EXPECT_TRUE(texts.get("").get());
  EXPECT_EQ(numbers.get(1.0).get()->key(), value_view{1});
  EXPECT_EQ(numbers.update(1.0, a_change).get()->key(), value_view{1});
  EXPECT_EQ(numbers.touch(-0.0, a_deadline).get()->key(), value_view{0});
  EXPECT_EQ(numbers.erase(1.0).get()->key(), value_view{1});
  EXPECT_EQ(*numbers.count().get(), 2u);
}

INSTANTIATE_TEST_SUITE_P(by, a_bad_key, ::testing::ValuesIn(keyed_operations),
                         [](auto& param) { return std::string{param.param.name}; });

} // namespace
} // namespace holdfast::testing
