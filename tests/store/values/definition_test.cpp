#include "blocks.hpp"

#include <cmath>

namespace holdfast {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

schema base() { return schema("t").key("id", integer()); }

struct bad_definition {
  schema definition;
  std::string message;
};

TEST(definitions, are_refused_if_they_contradict_themselves) {
  const bad_definition table[] = {
      {schema("").key("id", string()), "schema: the name is empty"},
      {schema(std::string(256, 'n')).key("id", string()), "256 bytes, above the limit 255"},
      {schema("a.b").key("id", string()), "the name contains '.'"},
      {schema("a/b").key("id", string()), "the name contains '/'"},
      {schema("a\xff").key("id", string()), "the name is not valid UTF-8"},
      {schema("a\n").key("id", string()), "a control character"},
      {schema("t").field("f", string()), "t: no key is defined"},
      {schema("t").key("id").field("f", string()), "t: key field \"id\" is not defined"},
      {schema("t").key("id", number()), "t.id: a key is a string or an integer, not type number"},
      {schema("t").key("id", date()), "not type date"},
      {base().field("", string()), "the name is empty"},
      {base().field("a.b", string()), "t.a.b: the name contains '.'"},
      {base().field("$and", array_of()), "t.$and: the name begins with '$'"},
      {base().field("o", object_of().property("$or", array_of())),
       "t.o.$or: the name begins with '$'"},
      {base().field("id", string()), "t.id: the field is defined more than once"},
      {base().index("f"), "t: index field \"f\" is not defined"},
      {base().field("f", array_of()).index("f"), "t.f: an index does not fit type array"},
      {base().field("f", string()).index("f").index("f"), "the index is defined more than once"},
      {base().inverted_index("f"), "t: index field \"f\" is not defined"},
      {base().field("f", integer()).inverted_index("f"),
       "t.f: an inverted index is over texts or arrays, not type integer"},
      {base().field("f", string()).inverted_index("f").inverted_index("f"),
       "the index is defined more than once"},
      {base().field("f", object_of().unique()), "t.f: unique does not fit type object"},
      {base().field("f", string().pattern("(")), "t.f: pattern \"(\" is malformed: missing )"},
      {base().field("f", integer().pattern("x")), "pattern does not fit type integer"},
      {base().field("f", integer().format(email)), "format does not fit type integer"},
      {base().field("f", number().max_length(2)), "max_length does not fit type number"},
      {base().field("f", integer().min(2).max(1)), "t.f: min 2 is above max 1"},
      {base().field("f", date().min("2001-01-01").max("2000-01-01")), "is above max"},
      {base().field("f", string().min(1)), "t.f: min 1 does not fit type string"},
      {base().field("f", integer().max("x")), "t.f: max \"x\" does not fit type integer"},
      {base().field("f", date().max("2001-02-29")), "does not fit type date"},
      {base().field("f", string().length(2, 1)), "min_length 2 is above max_length 1"},
      {base().field("f", string().one_of(std::vector<value>{})), "one_of lists no value"},
      {base().field("f", string().one_of("a", 1)), "one_of value 1 does not fit type string"},
      {base().field("f", string().one_of("\xff")), "t.f: text is not valid UTF-8"},
      {base().field("f", number().one_of(std::nan(""))), "is not a finite number"},
      {base().field("f", number().min(std::nan(""))), "does not fit type number"},
      {base().field("f", string().references("a.b")), "references a bucket whose name is none"},
      {base().field("f", date().references("b")), "a key is a string or an integer, not type date"},
      {base().field("f", string().required().references("b", on_delete::set_null)),
       "t.f: on_delete set_null does not fit a required field"},
      {schema("t").key("id", string().references("b", on_delete::set_null)),
       "t.id: on_delete set_null does not fit a key"},
      {base().field("f", string().generated(uuid).references("b")),
       "t.f: a generated field cannot refer to another record"},
      {base().expire_after("5 weeks"), "t: expire_after \"5 weeks\" is not a number with a unit"},
      {base().expire_after("0s"), "t: expire_after 0 ms is below the minimum 1 ms"},
      {base().capacity(0), "t: capacity 0 is below the minimum 1"},
      {base().field("f", integer().generated(uuid)), "generated uuid does not fit type integer"},
      {base().field("f", string().generated(autoincrement)), "does not fit type string"},
      {base().field("f", boolean().generated(insertion_time)), "does not fit type boolean"},
      {base()
           .field("a", integer().generated(autoincrement))
           .field("b", integer().generated(autoincrement)),
       "2 autoincrement fields are above the limit 1"},
      {base().field("f", integer().otherwise("x")), "the default breaks the field's own rules"},
      {base().field("f", string().length(2, 3).otherwise("x")), "length 1 is below the minimum 2"},
      {base().field("f", string().required().otherwise(nullptr)), "a value is required"},
      {base().field("f", string().one_of("a").otherwise("b")), "is not one of"},
  };
  for (auto& [definition, message] : table) {
    auto made = compile(definition);
    ASSERT_FALSE(made) << definition.to_string();
    EXPECT_EQ(made.error(), errc::invalid_schema);
    ASSERT_EQ(made.error().issues().size(), 1U) << made.error().to_string();
    EXPECT_THAT(made.error().message(), HasSubstr(message));
  }
}

/// The pattern stood in it twice, the name once, as long as they were.
TEST(definitions, are_refused_in_one_short_line_whatever_is_in_them) {
  const std::string endless(std::size_t{1} << 19, 'x');
  for (const auto& bad :
       {base().field("f", string().pattern("(" + endless)),
        base().field("f", string().pattern("a\n(")), base().field(endless, string()),
        base().field("a\nb\xff", string()), base().index(endless),
        base().field("f", object_of().property(endless, string())),
        schema(endless).key("id", integer()), schema("a\nb\xff").key("id", integer())}) {
    auto made = compile(bad);
    ASSERT_FALSE(made);
    const auto& message = made.error().message();
    EXPECT_LT(message.size(), 512U) << message.substr(0, 1000);
    EXPECT_THAT(message, Not(HasSubstr("\n")));
    EXPECT_THAT(message, Not(HasSubstr("\xff")));
  }
}

TEST(definitions, list_all_contradictions_at_once) {
  auto made = compile(schema("t")
                          .key("id", boolean())
                          .field("a", integer().min(2).max(1).pattern("("))
                          .field("b", string().otherwise(1))
                          .index("c"));
  ASSERT_FALSE(made);
  std::vector<std::string> codes;
  for (auto& found : made.error().issues())
    codes.push_back(found.code);
  EXPECT_THAT(codes, ElementsAre("key", "min", "pattern", "pattern", "default", "index"));
  EXPECT_EQ(made.error().message(), "t: 6 violations");
}

TEST(definitions, give_the_bucket_its_indexes_and_layout) {
  auto made = compile(schema("t")
                          .key("id", string().unique())
                          .field("a", integer())
                          .field("b", string().unique())
                          .index("a")
                          .index("b"));
  ASSERT_TRUE(made);
  auto& s = **made;
  ASSERT_EQ(s.indexes().size(), 3U);
  EXPECT_EQ(s.indexes()[0].name, "b");
  EXPECT_EQ(s.indexes()[0].type, detail::index_type::unique);
  EXPECT_EQ(s.indexes()[1].name, "a");
  EXPECT_EQ(s.indexes()[1].slot, 1U);
  EXPECT_EQ(s.indexes()[2].type, detail::index_type::ordered);
  EXPECT_EQ(s.key_slot(), 0U);
  EXPECT_EQ(s.layout().find("b"), 2U);
  EXPECT_EQ(s.layout().find("c"), detail::record_layout::npos);
}

TEST(definitions, compare_and_print) {
  auto a = base().field("f", string().required().length(1, 2).one_of("a", "b")).index("f");
  auto b = base().field("f", string().required().length(1, 2).one_of("a", "b")).index("f");
  EXPECT_EQ(a, b);
  EXPECT_NE(a, b.closed());
  EXPECT_NE(a, base());
  EXPECT_EQ(a.to_string(), "bucket t\n  key id: integer\n"
                           "  field f: string required min_length 1 max_length 2 "
                           "one_of [\"a\", \"b\"]\n  index f");
}

} // namespace
} // namespace holdfast
