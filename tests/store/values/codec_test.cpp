#include "blocks.hpp"
#include "golden.hpp"

#include <holdfast/store/codec.hpp>

#include <proto/record.pb.h>

#include <random>

namespace holdfast {
namespace {

using testing::compiled;
using testing::everything;
using testing::golden;
using testing::noon;
using testing::owned_block;

std::string encoded(const detail::record_block& block, std::uint32_t schema_version = 3) {
  std::string bytes;
  codec::encode(block, schema_version, bytes);
  return bytes;
}

result<owned_block> decoded(const compiled_schema& s, std::string_view bytes) {
  codec::record_decoder decoder(s.layout());
  auto size = decoder.parse(bytes);
  if (!size)
    return fail(size.error());
  owned_block made(*size);
  decoder.build(made.memory());
  return made;
}

/// Everything a block says, for comparing two.
object told(const detail::record_block& b) {
  auto r = record::share(const_cast<detail::record_block*>(&b));
  return object{{"fields", r.to_object()},
                {"row", static_cast<std::int64_t>(b.row)},
                {"version", b.version},
                {"created", b.created_at},
                {"updated", b.updated_at},
                {"expires", b.expires_at},
                {"slots", b.slot_count},
                {"bytes", b.bytes},
                {"hash", static_cast<std::int64_t>(b.hash)}};
}

class random_records {
public:
  explicit random_records(std::uint64_t seed) : random_(seed) {}

  owned_block next(const compiled_schema& s) {
    draft input(s);
    input.set("id", text());
    for (auto name : {"text", "other", "\xc3\xa4"})
      maybe(input, name, text());
    maybe(input, "number", random_() % 2 == 0 ? value(number()) : value(real()));
    maybe(input, "integer", number());
    maybe(input, "flag", random_() % 2 == 0);
    maybe(input, "object", value(members(3)));
    maybe(input, "list", value(items(3)));
    maybe(input, "more", value(members(2)));
    maybe(input, "born", static_cast<std::int64_t>(random_() % 4'000'000'000'000));
    detail::generator from;
    auto made = testing::inserted(input, from);
    auto& block = **made;
    block.row = random_() >> (random_() % 64);
    block.version = static_cast<std::uint32_t>(random_() % 1000 + 1);
    block.created_at = number();
    block.updated_at = number();
    block.expires_at = random_() % 2 == 0 ? 0 : number();
    return std::move(*made);
  }

private:
  void maybe(draft& input, std::string_view name, value_view v) {
    if (random_() % 3 != 0)
      input.set(name, v);
  }
  std::string text() {
    return std::string(random_() % (random_() % 8 == 0 ? 300 : 20),
                       static_cast<char>('a' + random_() % 26));
  }
  std::int64_t number() { return static_cast<std::int64_t>(random_()) >> (random_() % 64); }
  double real() { return static_cast<double>(number()) / 256; }
  value any(int depth) {
    switch (random_() % (depth > 0 ? 7 : 5)) {
    case 0:
      return nullptr;
    case 1:
      return random_() % 2 == 0;
    case 2:
      return number();
    case 3:
      return real();
    case 4:
      return text();
    case 5:
      return items(depth - 1);
    default:
      return members(depth - 1);
    }
  }
  array items(int depth) {
    array all;
    for (auto n = random_() % 4; n > 0; --n)
      all.push_back(any(depth));
    return all;
  }
  object members(int depth) {
    object all;
    for (auto n = random_() % 4; n > 0; --n)
      all.set(std::string(random_() % 3, 'k'), any(depth));
    return all;
  }

  std::mt19937_64 random_;
};

TEST(record_codec, gives_back_what_it_was_given) {
  auto s = compiled(everything());
  random_records records(7);
  for (int round = 0; round < 2'000; ++round) {
    auto block = records.next(*s);
    auto bytes = encoded(*block);
    auto back = decoded(*s, bytes);
    ASSERT_TRUE(back) << back.error().to_string();
    ASSERT_EQ(value(told(*block)), value(told(**back)));
    ASSERT_EQ(encoded(**back), bytes);
    ASSERT_EQ(back->get()->refs, 1U);
    ASSERT_EQ(back->get()->birth, detail::never);
    ASSERT_EQ(back->get()->layout, &s->layout());
  }
}

TEST(record_codec, writes_what_the_generated_classes_write) {
  auto s = compiled(everything());
  random_records records(8);
  for (int round = 0; round < 1'000; ++round) {
    auto block = records.next(*s);
    auto bytes = encoded(*block);
    proto::Record parsed;
    ASSERT_TRUE(parsed.ParseFromString(bytes));
    ASSERT_TRUE(parsed.GetReflection()->GetUnknownFields(parsed).empty());
    ASSERT_EQ(parsed.SerializeAsString(), bytes);
    ASSERT_EQ(parsed.format(), 1U);
    ASSERT_EQ(parsed.schema_version(), 3U);
    ASSERT_EQ(parsed.row(), block->row);
    ASSERT_EQ(parsed.version(), block->version);
    ASSERT_EQ(parsed.created_at(), block->created_at);
    ASSERT_EQ(parsed.fields(0).slot(), 0U);
    ASSERT_EQ(parsed.fields(0).text(), block.handle().key().as_string());
    ASSERT_EQ(static_cast<std::size_t>(parsed.extra_size()), detail::extra_of(*block).size());
  }
}

TEST(record_codec, appends) {
  auto s = compiled(everything());
  auto block = testing::inserted(*s, {{"id", "k"}});
  std::string out = "prefix";
  codec::encode(**block, 1, out);
  EXPECT_EQ(out, "prefix" + encoded(**block, 1));
}

TEST(record_decoder, tells_the_schema_version) {
  auto s = compiled(everything());
  auto block = testing::inserted(*s, {{"id", "k"}});
  codec::record_decoder decoder(s->layout());
  auto bytes = encoded(**block, 77);
  ASSERT_TRUE(decoder.parse(bytes));
  EXPECT_EQ(decoder.schema_version(), 77U);
}

TEST(record_decoder, refuses_every_truncation_or_reads_a_shorter_record) {
  auto s = compiled(everything());
  random_records records(9);
  for (int round = 0; round < 50; ++round) {
    auto block = records.next(*s);
    auto bytes = encoded(*block);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      // In memory of exactly that size, so that a sanitizer sees every step too far.
      auto cut = std::make_unique<char[]>(size);
      std::copy_n(bytes.data(), size, cut.get());
      auto back = decoded(*s, {cut.get(), size});
      if (back) {
        ASSERT_FALSE(back->handle().key().is_null());
      }
    }
  }
}

TEST(record_decoder, survives_every_flipped_bit) {
  auto s = compiled(everything());
  random_records records(10);
  for (int round = 0; round < 30; ++round) {
    auto block = records.next(*s);
    auto bytes = encoded(*block);
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      auto flipped = bytes;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
      auto back = decoded(*s, flipped);
      if (back) {
        ASSERT_FALSE(told(**back).empty());
        for (std::size_t i = 0; i < back->get()->slot_count; ++i)
          if (auto& slot = back->get()->slots()[i]; slot.tag >= detail::slot_tag::array) {
            auto kept = back->get()->bytes_of(slot);
            ASSERT_TRUE(detail::well_formed(kept, detail::default_max_depth + 1));
          }
      } else {
        ASSERT_THAT(back.error().code(), ::testing::AnyOf(errc::corrupt, errc::newer_format));
      }
    }
  }
}

TEST(record_decoder, survives_random_bytes) {
  auto s = compiled(everything());
  std::mt19937_64 random(11);
  for (int round = 0; round < 50'000; ++round) {
    std::string bytes("\x08\x01", 2);
    for (auto n = random() % 40; n > 0; --n)
      bytes += static_cast<char>(random() % 4 == 0 ? random() : random() % 80);
    if (auto back = decoded(*s, bytes)) {
      ASSERT_FALSE(told(**back).empty());
    }
  }
}

/// Makes a record message and says why it is refused.
template <class F>
std::string refusal(F change) {
  auto s = compiled(everything());
  proto::Record r;
  r.set_format(1);
  r.set_version(1);
  r.add_fields()->set_text("key");
  change(r);
  auto back = decoded(*s, r.SerializeAsString());
  return back ? "" : back.error().to_string();
}

TEST(record_decoder, says_why_it_refuses) {
  using ::testing::HasSubstr;
  EXPECT_EQ(refusal([](auto&) {}), "");
  EXPECT_THAT(refusal([](auto& r) { r.set_format(2); }), HasSubstr("newer_format: everything: "));
  EXPECT_THAT(refusal([](auto& r) { r.set_format(0); }), HasSubstr("no format version"));
  EXPECT_THAT(refusal([](auto& r) { r.clear_fields(); }), HasSubstr("without a key"));
  EXPECT_THAT(refusal([](auto& r) { r.set_version(0); }), HasSubstr("without a version"));
  EXPECT_THAT(refusal([](auto& r) { r.mutable_fields(0)->set_integer(1); }), HasSubstr("not fit"));
  EXPECT_THAT(refusal([](auto& r) { r.add_fields()->set_text("again"); }), HasSubstr("twice"));
  EXPECT_THAT(refusal([](auto& r) { r.mutable_fields(0)->set_slot(8); }), HasSubstr("not fit"));
  EXPECT_THAT(refusal([](auto& r) {
                r.add_fields()->set_slot(2);
                r.mutable_fields(1)->set_real(std::numeric_limits<double>::infinity());
              }),
              HasSubstr("not finite"));
  EXPECT_THAT(refusal([](auto& r) { r.add_extra()->set_name("x"); }), HasSubstr("malformed"));
  EXPECT_THAT(refusal([](auto& r) {
                r.add_extra()->set_name("text");
                r.mutable_extra(0)->mutable_value()->set_boolean(true);
              }),
              HasSubstr("a name inside it"));
  EXPECT_THAT(refusal([](auto& r) {
                r.add_extra()->set_name("x");
                r.mutable_extra(0)->mutable_value();
              }),
              HasSubstr("a null outside"));
  EXPECT_THAT(refusal([](auto& r) {
                r.add_fields()->set_slot(6);
                auto* inner = r.mutable_fields(1)->mutable_array();
                for (int i = 0; i < 40; ++i)
                  inner = inner->add_items()->mutable_array();
              }),
              HasSubstr("nested too deep"));
}

owned_block golden_record(const compiled_schema& s) {
  auto block = testing::inserted(
      s, {{"id", "a key longer than a slot"},
          {"text", "\xc3\xa4"},
          {"number", -0.5},
          {"integer", INT64_MIN},
          {"flag", false},
          {"object", object{{"", nullptr}, {"list", array{1, "two", 3.5, true, array{}}}}},
          {"list", array{}},
          {"born", "2024-02-29T12:30:00.5+01:00"},
          {"outside", object{{"a", -1}}}});
  (*block)->row = 300;
  (*block)->version = 2;
  (*block)->updated_at += 1;
  (*block)->expires_at = -1;
  return std::move(*block);
}

TEST(golden_files, of_format_1_are_what_records_are_written_as_and_read_from) {
  auto s = compiled(everything());
  auto block = golden_record(*s);
  auto bytes = golden("record.1.bin");
  EXPECT_EQ(encoded(*block), bytes);
  auto back = decoded(*s, bytes);
  ASSERT_TRUE(back) << back.error().to_string();
  EXPECT_EQ(value(told(**back)), value(told(*block)));
}

} // namespace
} // namespace holdfast
