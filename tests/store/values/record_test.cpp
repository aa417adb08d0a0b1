#include "blocks.hpp"

#include <holdfast/store/detail/index_key.hpp>

namespace holdfast {
namespace {

using testing::compiled;
using ::testing::ElementsAre;
using testing::inserted;
using testing::noon;
using testing::updated;

schema people() {
  return schema("people")
      .key("id", string())
      .field("name", string())
      .field("age", integer())
      .field("score", number())
      .field("tags", array_of())
      .field("born", date());
}

TEST(record, shows_the_fields_it_was_built_from) {
  auto s = compiled(people());
  auto block = inserted(*s, {{"id", "a-key-that-is-longer-than-a-slot"},
                             {"name", "Ann"},
                             {"age", 30},
                             {"score", 1.5},
                             {"tags", array{"x", array{1}, object{{"k", true}}}},
                             {"born", "2000-01-02"}});
  auto r = block->handle();
  EXPECT_EQ(r.key(), "a-key-that-is-longer-than-a-slot");
  EXPECT_EQ(r["name"], "Ann");
  EXPECT_EQ(r["age"], 30);
  EXPECT_EQ(r["score"], 1.5);
  EXPECT_EQ(r["tags"], (array{"x", array{1}, object{{"k", true}}}));
  EXPECT_EQ(r["born"], 946771200000);
  EXPECT_TRUE(r["unknown"].is_null());
  EXPECT_EQ(r.field(1), "Ann");
  EXPECT_EQ(r.version(), 1U);
  EXPECT_EQ(r.created_at(), noon);
  EXPECT_EQ(r.updated_at(), noon);
  EXPECT_EQ(r.expires_at(), std::nullopt);
  EXPECT_EQ(r.block()->hash, detail::hash_of(std::string_view{"a-key-that-is-longer-than-a-slot"}));
  EXPECT_EQ(r.block()->birth, detail::never);
  EXPECT_EQ(r.block()->bytes, detail::block_size(draft(*s, r.to_object())));
}

TEST(record, walks_the_schema_in_order_then_the_other_fields) {
  auto s = compiled(people());
  auto block = inserted(*s, {{"zoo", 1},
                             {"age", 3},
                             {"id", "k"},
                             {"ark", object{{"n", 2}}},
                             {"gone", nullptr},
                             {"name", nullptr}});
  auto r = block->handle();
  std::vector<std::string> names;
  for (auto [name, content] : r)
    names.emplace_back(name);
  EXPECT_THAT(names, ElementsAre("id", "age", "zoo", "ark"));
  EXPECT_EQ(r["ark"]["n"], 2);
  EXPECT_EQ(r["zoo"], 1);
  EXPECT_EQ(r.to_object(),
            (object{{"id", "k"}, {"age", 3}, {"zoo", 1}, {"ark", object{{"n", 2}}}}));
  EXPECT_EQ(r.to_string(), R"({"id": "k", "age": 3, "zoo": 1, "ark": {"n": 2}})");
}

TEST(record, finds_fields_by_name_in_wide_schemas) {
  schema wide("wide");
  wide.key("id", integer());
  for (int i = 0; i < 100; ++i)
    wide.field("field_" + std::to_string(i), integer());
  auto s = compiled(wide);
  draft input(*s, {{"id", 1}});
  for (int i = 0; i < 100; ++i)
    input.set("field_" + std::to_string(i), i);
  detail::generator from;
  auto block = inserted(input, from);
  auto r = block->handle();
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(r["field_" + std::to_string(i)], i);
  EXPECT_TRUE(r["field_100"].is_null());
}

TEST(record, counts_its_handles) {
  auto s = compiled(people());
  auto block = inserted(*s, {{"id", "k"}});
  EXPECT_EQ(block->get()->refs, 1U);
  {
    auto a = block->handle();
    auto b = a;
    auto c = std::move(a);
    EXPECT_FALSE(a); // NOLINT: a moved-from handle is empty
    EXPECT_EQ(block->get()->refs, 3U);
    c = b;
    EXPECT_EQ(block->get()->refs, 3U);
  }
  EXPECT_EQ(block->get()->refs, 1U);
  EXPECT_EQ(record().to_string(), "null");
}

TEST(updated_record, differs_in_what_was_changed_only) {
  auto s = compiled(people());
  auto old = inserted(*s, {{"id", "k"}, {"name", "Ann"}, {"age", 30}, {"other", 1}});
  old->get()->row = 17;
  old->get()->expires_at = 5;
  auto later = noon + std::chrono::seconds{1};
  auto next = updated(**old, draft(*s, {{"age", 31}}), later);
  auto r = next->handle();
  EXPECT_EQ(r.to_object(), (object{{"id", "k"}, {"name", "Ann"}, {"age", 31}, {"other", 1}}));
  EXPECT_EQ(r.version(), 2U);
  EXPECT_EQ(r.created_at(), noon);
  EXPECT_EQ(r.updated_at(), later);
  EXPECT_EQ(r.block()->row, 17U);
  EXPECT_EQ(r.block()->expires_at, 5);
  EXPECT_EQ(r.block()->refs, 2U);
  EXPECT_EQ(old->handle()["age"], 30);
}

TEST(updated_record, takes_values_of_any_size_and_loses_what_becomes_null) {
  auto s = compiled(people());
  std::string fifteen(15, 'x');
  auto block =
      inserted(*s, {{"id", "k"}, {"name", fifteen}, {"tags", array{1}}, {"e", 1}, {"f", 2}});
  auto change = [&](std::initializer_list<field_input> fields) {
    auto next = updated(**block, draft(*s, fields));
    ASSERT_TRUE(next) << next.error().to_string();
    *block = std::move(*next);
  };
  change({{"name", std::string(15, 'y')}});
  EXPECT_EQ(block->handle()["name"], std::string(15, 'y'));
  change({{"name", "short"}});
  EXPECT_EQ(block->handle()["name"], "short");
  change({{"name", std::string(1000, 'z')}, {"tags", nullptr}});
  EXPECT_EQ(block->handle()["name"].as_string().size(), 1000U);
  EXPECT_TRUE(block->handle()["tags"].is_null());
  change({{"e", nullptr}, {"g", "new"}, {"absent", nullptr}});
  EXPECT_EQ(block->handle().to_object(),
            (object{{"id", "k"}, {"name", std::string(1000, 'z')}, {"f", 2}, {"g", "new"}}));
  change({{"f", nullptr}, {"g", nullptr}, {"name", nullptr}});
  EXPECT_EQ(block->handle().to_object(), (object{{"id", "k"}}));
  EXPECT_EQ(block->get()->bytes, sizeof(detail::record_block) + 6 * sizeof(detail::slot));
}

} // namespace
} // namespace holdfast
