// Bad input of every kind, by every way into a bucket: told, with the place, and nothing changes -
// no record, no seq, no event.
#include "reference_fixture.hpp"

#include <holdfast/store/filter_json.hpp>
#include <holdfast/store/gateway.hpp>
#include <holdfast/store/schema_json.hpp>

#include <cmath>
#include <limits>

namespace holdfast::testing {
namespace {

using ::testing::HasSubstr;

/// A way in: writes fields to the record 1, new or there already; gives what it was answered.
struct way_in {
  const char* name;
  result<void> (*write)(store& db, bucket<>& to, const object& fields);
};

object with_key(object fields) {
  fields.set("id", 1);
  return fields;
}
template <class T>
result<void> outcome(result<T> r) {
  return r ? result<void>{} : fail(r.error());
}

template <class Request, class Answer>
result<void> ask(store& db, Request request) {
  std::promise<result<void>> got;
  db.runtime_in_use().system().spawn(
      [&, to = gateway_of(db).value()](caf::event_based_actor* self) {
        quiet(self);
        self->request(to, caf::infinite, request).then([&](const result<Answer>& r) {
          got.set_value(r ? result<void>{} : fail(r.error()));
        });
      });
  return got.get_future().get();
}

const way_in ways[] = {
    {"insert",
     [](store&, bucket<>& to, const object& f) { return outcome(to.insert(with_key(f)).get()); }},
    {"insert_draft",
     [](store&, bucket<>& to, const object& f) {
       return outcome(to.insert(draft{to.compiled(), with_key(f)}).get());
     }},
    {"insert_many",
     [](store&, bucket<>& to, const object& f) {
       return outcome(to.insert_many({object{{"id", 7}}, with_key(f)}).get());
     }},
    {"upsert",
     [](store&, bucket<>& to, const object& f) { return outcome(to.upsert(with_key(f)).get()); }},
    {"upsert_of_one_that_is_there",
     [](store&, bucket<>& to, const object& f) {
       auto fields = f;
       fields.set("id", 0);
       return outcome(to.upsert(fields).get());
     }},
    {"upsert_many",
     [](store&, bucket<>& to, const object& f) {
       return outcome(to.upsert_many({object{{"id", 7}}, with_key(f)}).get());
     }},
    {"update",
     [](store&, bucket<>& to, const object& f) { return outcome(to.update(0, f).get()); }},
    {"update_many",
     [](store&, bucket<>& to, const object& f) { return outcome(to.update_many({}, f).get()); }},
    {"modify",
     [](store&, bucket<>& to, const object& f) {
       return outcome(to.modify(0, [&](const record&) { return f; }));
     }},
    {"transaction",
     [](store& db, bucket<>& to, const object& f) {
       return db.transact(
           [&](transaction& tx) { return outcome(tx.in(to).insert(with_key(f)).get()); });
     }},
    {"gateway_insert",
     [](store& db, bucket<>&, const object& f) {
       return ask<insert_record, record>(db, {"things", with_key(f)});
     }},
    {"gateway_update_many",
     [](store& db, bucket<>&, const object& f) {
       return ask<update_records, std::uint64_t>(db, {"things", {}, f});
     }},
};

struct bad_input : reference_fixture, ::testing::WithParamInterface<way_in> {
  bucket<> things = define(schema("things")
                               .key("id", integer())
                               .field("text", string().max_length(50))
                               .field("n", number())
                               .field("when", date())
                               .field("list", array_of()));
  bucket<> shut = define(schema("shut").key("id", integer()).closed());
};

value nested(unsigned depth) {
  value out = 1;
  for (unsigned i = 0; i < depth; ++i)
    out = array{out};
  return out;
}

TEST_P(bad_input, is_told_and_changes_nothing) {
  ASSERT_TRUE(things.insert({{"id", 0}, {"text", "x"}}).get());
  const auto infinity = std::numeric_limits<double>::infinity();
  const std::pair<object, const char*> table[] = {
      {{{"text", 7}}, "text"},
      {{{"n", "7"}}, "n"},
      {{{"when", "yesterday"}}, "when"},
      {{{"list", "x"}}, "list"},
      {{{"text", "\xff"}}, "not valid UTF-8"},
      {{{"outside", "\xc3"}}, "not valid UTF-8"},
      {{{"text", std::string(51, 'x')}}, "above the maximum 50"},
      {{{"outside", std::string((std::size_t{16} << 20) + 1, 'x')}}, "above the limit"},
      {{{"list", nested(40)}}, "deeper than the limit 32"},
      {{{"n", std::nan("")}}, "not a finite number"},
      {{{"n", infinity}}, "not a finite number"},
      {{{"outside", -infinity}}, "not a finite number"},
      {{{"", 1}}, "name is empty"},
      {{{"\xff", 1}}, "name is not valid UTF-8"},
      {{{"a.b", 1}}, "contains '.'"},
      {{{"a/b", 1}}, "contains '/'"},
      {{{"a*", 1}}, "contains '*'"},
      {{{"$and", 1}}, "begins with '$'"},
      {{{"a\nb", 1}}, "control character"},
      {{{std::string(256, 'n'), 1}}, "above the limit 255"},
      {{{"outside", object{{"\xff", 1}}}}, "member's name is not valid UTF-8"},
  };
  listener heard{db};
  const auto seq = db.stats().published;
  for (auto& [fields, told] : table) {
    auto r = GetParam().write(db, things, fields);
    ASSERT_FALSE(r) << told;
    EXPECT_EQ(r.error(), errc::invalid) << r.error().to_string();
    EXPECT_EQ(r.error().where().bucket, "things");
    EXPECT_THAT(r.error().to_string(), HasSubstr(told));
    EXPECT_FALSE(r.error().issues().empty());
  }
  EXPECT_EQ(db.stats().published, seq);
  EXPECT_THAT(keys(things.all().get()), ::testing::ElementsAre("0"));
  EXPECT_EQ(things.get(0).get()->version(), 1u);
  ASSERT_TRUE(shut.insert({{"id", 1}}).get());
  EXPECT_THAT(heard.texts(1), ::testing::ElementsAre("shut.inserted 1")) << "and nothing before";
}

TEST_P(bad_input, is_told_of_names_that_no_record_has_though_their_value_is_null) {
  ASSERT_TRUE(things.insert({{"id", 0}}).get());
  for (auto* name : {"a.b", "a/b", "", "\xff", "a*"}) {
    auto r = GetParam().write(db, things, {{name, nullptr}});
    ASSERT_FALSE(r) << name;
    EXPECT_EQ(r.error(), errc::invalid) << r.error().to_string();
    EXPECT_EQ(r.error().issues().at(0).code, "name");
  }
  ASSERT_TRUE(GetParam().write(db, things, {{"any", nullptr}})) << "of an open bucket";
  EXPECT_EQ(things.get(0).get()->to_object().size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(by, bad_input, ::testing::ValuesIn(ways),
                         [](auto& param) { return std::string{param.param.name}; });

struct a_closed_bucket : reference_fixture {};

TEST_F(a_closed_bucket, refuses_unknown_names_though_their_value_is_null) {
  auto shut = define(schema("shut").key("id", integer()).closed());
  ASSERT_TRUE(shut.insert({{"id", 1}}).get());
  for (auto& r :
       {shut.insert({{"id", 9}, {"zz", nullptr}}).get(), shut.update(1, {{"zz", nullptr}}).get(),
        shut.upsert({{"id", 1}, {"zz", nullptr}}).get(),
        shut.upsert({{"id", 9}, {"zz", nullptr}}).get()}) {
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().message(), "shut.zz: the schema has no such field");
  }
  EXPECT_THAT(shut.insert({{"id", "x"}, {"zz", nullptr}}).get().error().issues(),
              ::testing::SizeIs(2))
      << "with all else that is wrong";
}

struct bad_text : reference_fixture {};

TEST_F(bad_text, of_a_schema_defines_nothing) {
  const std::pair<const char*, const char*> table[] = {
      {"", "schema"},
      {"{", "schema"},
      {"[]", "schema"},
      {R"({"name": "a", "name": "b"})", "name"},
      {R"({"name": 7})", "name"},
      {R"({"name": "a.b", "key": "id", "fields": {"id": {"type": "string"}}})", "'.'"},
      {R"({"name": "", "key": "id", "fields": {"id": {"type": "string"}}})", "empty"},
      {"{\"name\": \"\xff\", \"key\": \"id\", \"fields\": {\"id\": {\"type\": \"string\"}}}", ""},
      {R"({"name": "a", "key": "id", "fields": {"id": {"type": "integer", "min": 1e999}}})", ""},
      {R"({"name": "a", "key": "id", "fields": {"id": {"type": "text"}}})", "text"},
      {R"({"name": "a", "key": "id", "fields": {"id": {"type": "string"}}, "colour": 1})",
       "colour"},
  };
  for (auto& [text, told] : table) {
    auto read = schema_from_json(text);
    auto made = read ? db.define(*read) : result<bucket<>>{fail(read.error())};
    ASSERT_FALSE(made) << text;
    EXPECT_THAT(made.error().to_string(), HasSubstr(told));
  }
  EXPECT_THAT(db.bucket_names(), ::testing::IsEmpty());
}

TEST_F(bad_text, of_a_filter_is_told_with_its_place) {
  const std::pair<std::string, const char*> table[] = {
      {"", "filter"},
      {"{\"a\":", "filter"},
      {R"({"a": 1, "a": 2})", "a"},
      {R"({"a": {"$like": 1}})", "filter.a.$like"},
      {R"({"a": {"$in": 1}})", "filter.a.$in"},
      {R"({"$nor": []})", "filter.$nor"},
      {R"({"a": 1e999})", "filter"},
      {"{\"a\": \"\xff\"}", "filter"},
      {"{\"a\":" + std::string(300, '[') + std::string(300, ']') + "}", "filter"},
      {"{\"a\": \"" + std::string(2 << 20, 'x') + "\"}", "filter"},
  };
  for (auto& [text, told] : table) {
    auto read = filter_from_json(text);
    ASSERT_FALSE(read) << text.substr(0, 80);
    EXPECT_EQ(read.error(), errc::invalid_argument);
    EXPECT_THAT(read.error().message(), HasSubstr(told));
  }
}

TEST(bad_names, of_stores_start_nothing) {
  const std::string names[] = {"", "a\nb", "\xff", std::string(256, 'x')};
  for (auto& name : names) {
    store_options options;
    options.name = name;
    EXPECT_EQ(store::start(std::move(options)).error(), errc::invalid_argument);
  }
}

} // namespace
} // namespace holdfast::testing
