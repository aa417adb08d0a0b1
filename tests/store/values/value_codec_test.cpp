#include <holdfast/store/detail/value_codec.hpp>

#include <memory>

namespace holdfast::detail {
namespace {

std::string encoded(value_view v) {
  std::string bytes(encoded_size(v).value(), '\0');
  EXPECT_EQ(encode_value(v, bytes.data()), bytes.data() + bytes.size());
  return bytes;
}

value sample() {
  return object{{"", nullptr},
                {"list", array{1, -1.5, "two", true, false, array{}, object{}}},
                {"deep", object{{"a", array{value{array{value{array{"x"}}}}}}, {"b", INT64_MIN}}},
                {"text", std::string(300, 't')}};
}

array nested(unsigned depth) {
  array made;
  for (unsigned i = 1; i < depth; ++i)
    made = array{value(std::move(made))};
  return made;
}

TEST(encoded_values, show_what_was_encoded) {
  for (auto& v : {sample(), value(array{}), value(object{}), value(7), value("x"), value()}) {
    auto bytes = encoded(v);
    EXPECT_TRUE(well_formed(bytes));
    auto back = decode_value(bytes);
    EXPECT_EQ(back, v);
    EXPECT_EQ(back.materialize(), v);
    EXPECT_EQ(back.to_string(), v.to_string());
    EXPECT_EQ(hash_value(back), hash_value(v));
    EXPECT_EQ(back.size(), value_view(v).size());
    EXPECT_EQ(encoded(back), bytes) << "encoding what is encoded copies it";
  }
}

TEST(encoded_values, compare_with_native_ones) {
  auto lower = encoded(array{1, 2});
  auto same = encoded(array{1.0, 2.0});
  auto higher = encoded(array{1, 2, nullptr});
  EXPECT_EQ(decode_value(lower), decode_value(same));
  EXPECT_LT(decode_value(lower), decode_value(higher));
  EXPECT_EQ(decode_value(lower), (array{1, 2}));
  object many;
  for (int i = 0; i < 40; ++i)
    many.set("name " + std::to_string(i), i);
  auto bytes = encoded(many);
  EXPECT_EQ(decode_value(bytes), many);
  EXPECT_EQ(decode_value(bytes)["name 39"], 39);
}

TEST(encoded_values, are_of_bounded_depth) {
  EXPECT_TRUE(encoded_size(nested(32)));
  EXPECT_FALSE(encoded_size(nested(33)));
  EXPECT_FALSE(encoded_size(array{}, 0));
  EXPECT_EQ(encoded_size(5, 0), 9U);
  auto deep = encoded(nested(32));
  EXPECT_TRUE(well_formed(deep));
  EXPECT_FALSE(well_formed(deep, 31));
  EXPECT_TRUE(encoded_size(decode_value(deep)));
  EXPECT_FALSE(encoded_size(decode_value(deep), 31));
}

/// Touches every byte that a view shows.
void walk(value_view v) {
  (void)hash_value(v);
  (void)v.size();
  (void)(v == v);
  (void)v.to_string().size();
}

TEST(encoded_values, never_lead_a_reader_out_of_their_bytes) {
  auto bytes = encoded(sample());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    auto cut = std::make_unique<char[]>(size);
    std::copy_n(bytes.data(), size, cut.get());
    EXPECT_FALSE(well_formed({cut.get(), size})) << size;
    walk(decode_value({cut.get(), size}));
  }
  EXPECT_FALSE(well_formed(bytes + '\0'));
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto flipped = std::make_unique<char[]>(bytes.size());
    std::copy_n(bytes.data(), bytes.size(), flipped.get());
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    (void)well_formed({flipped.get(), bytes.size()});
    walk(decode_value({flipped.get(), bytes.size()}));
  }
}

TEST(encoded_values, are_malformed_with_text_that_is_not_utf8) {
  EXPECT_FALSE(well_formed(encoded("\xff")));
  EXPECT_FALSE(well_formed(encoded(array{"\xff"})));
  EXPECT_FALSE(well_formed(encoded(object{{"\xff", 1}})));
}

} // namespace
} // namespace holdfast::detail
