#include "blocks.hpp"
#include "golden.hpp"

#include <holdfast/store/codec.hpp>

#include <proto/schema.pb.h>

namespace holdfast {
namespace {

using testing::compiled;
using testing::everything;
using testing::golden;

schema golden_schema() {
  return schema("golden")
      .key("id", string().generated(uuid))
      .field("name", string().required().length(1, 200).pattern("^[^ ]"))
      .field("email", string().format(email).unique())
      .field("role", string().one_of("admin", "user").otherwise("user"))
      .field("age", integer().min(0).max(150))
      .field("score", number().min(0.5).otherwise([] { return 1.5; }))
      .field("tags", array_of().otherwise(array{"new", nullptr, object{{"deep", true}}}))
      .field("born", date().generated(insertion_time))
      .index("role")
      .index("age")
      .ordered()
      .closed()
      .persistent(false);
}

/// What definitions can say since objects and arrays have rules.
schema golden_rules() {
  auto s = schema("golden").key("id", integer());
  s.field("boss", integer().references("golden", on_delete::set_null));
  s.field("team", string().references("teams", on_delete::cascade));
  s.field("contacts", array_of().items(object_of()
                                           .property("name", string().required().length(1, 9))
                                           .property("since", date().min("2000-01-01"))));
  s.field("score", number().validate([](value_view, const record_input&) {
    return std::optional<std::string>{};
  }));
  s.validate([](const record_input&) { return std::vector<std::string>{}; });
  s.index({"team", "boss"}).expire_after("1.5 h").capacity(1000, evict::least_recently_used);
  return s;
}

/// The same in the first release with inverted indexes, which earlier ones refuse to read.
schema golden_inverted() {
  return schema("golden")
      .key("id", integer())
      .field("name", string())
      .field("tags", array_of())
      .index("name")
      .inverted_index("name")
      .inverted_index("tags");
}

TEST(golden_files, of_format_1_are_what_schemas_are_written_as_and_read_from) {
  for (auto& [file, definition] :
       {std::pair("schema.1.bin", golden_schema()), std::pair("rules.1.bin", golden_rules()),
        std::pair("inverted.1.bin", golden_inverted())}) {
    auto bytes = golden(file);
    EXPECT_EQ(codec::encode_schema(definition), bytes);
    auto back = codec::decode_schema(bytes);
    ASSERT_TRUE(back) << back.error().to_string();
    EXPECT_EQ(*back, definition);
  }
}

TEST(schema_codec, gives_back_a_definition_that_compiles) {
  for (auto& s : {everything(), golden_schema(), schema("t").key("id", integer())}) {
    auto back = codec::decode_schema(codec::encode_schema(s));
    ASSERT_TRUE(back) << back.error().to_string();
    EXPECT_EQ(*back, s);
    EXPECT_EQ(back->to_string(), s.to_string());
    EXPECT_TRUE(compile(*back));
  }
}

TEST(schema_codec, keeps_no_function_but_says_so_when_it_is_called) {
  auto back = codec::decode_schema(codec::encode_schema(golden_schema()));
  auto made = testing::inserted(*compiled(*back), {{"name", "x"}});
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message(), ::testing::HasSubstr("the function is not stored"));
}

TEST(schema_codec, refuses_what_it_does_not_know) {
  proto::Schema s;
  s.set_format(2);
  EXPECT_EQ(codec::decode_schema(s.SerializeAsString()).error(), errc::newer_format);
  s.set_format(1);
  s.add_indexes()->set_inverted(true);
  EXPECT_EQ(codec::decode_schema(s.SerializeAsString()).error(), errc::corrupt);
  s.clear_indexes();
  s.add_fields()->set_name("f");
  EXPECT_EQ(codec::decode_schema(s.SerializeAsString()).error(), errc::corrupt);
  EXPECT_EQ(codec::decode_schema("\x08").error(), errc::corrupt);
  EXPECT_EQ(codec::decode_schema("").error(), errc::corrupt);
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(codec::decode_schema("\x12\x01\xff").error(), errc::corrupt); // a name of no UTF-8
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "") << "the error says it";
}

TEST(schema_codec, survives_every_flipped_bit) {
  auto bytes = codec::encode_schema(golden_schema()) + codec::encode_schema(golden_rules()) +
               codec::encode_schema(golden_inverted());
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    if (auto back = codec::decode_schema(flipped))
      (void)compile(*back);
  }
  for (std::size_t size = 0; size < bytes.size(); ++size)
    (void)codec::decode_schema(bytes.substr(0, size));
}

} // namespace
} // namespace holdfast
