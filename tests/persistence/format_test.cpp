#include <holdfast/persistence/detail/fixed.hpp>
#include <holdfast/persistence/detail/head.hpp>
#include <holdfast/persistence/detail/mark.hpp>
#include <holdfast/persistence/detail/split.hpp>
#include <holdfast/store/detail/journal_chain.hpp>

#include <tests/support/directory_image.hpp>
#include <tests/support/journal_driver.hpp>

using namespace holdfast;
using namespace holdfast::detail;
using namespace holdfast::testing;

namespace {

const mark a_mark{.turn = 7,
                  .epoch = 3,
                  .durable = 1000,
                  .written = 1007,
                  .chain = 0x0123456789abcdef,
                  .boot = 42,
                  .clean = true};
const head a_head{5, 3, 901, 1007, 0x1111, 0x0123456789abcdef};

std::string mark_bytes(const std::string& slot_1, const std::string& slot_2) {
  auto file = encode_mark_header();
  file.resize(mark_page);
  file += slot_1;
  file.resize(2 * mark_page);
  file += slot_2;
  file.resize(mark_size);
  return file;
}

// The files in tests/persistence/golden were written by version 1 of the format. They must
// stay readable, and be written the same, for as long as version 1 is.
std::string golden(const std::string& name) {
  return read_bytes(std::filesystem::path{HOLDFAST_GOLDEN_DIR} / name);
}

TEST(journal_format, the_mark_of_version_one_is_read_and_written_as_ever) {
  auto older = a_mark;
  older.turn = 6;
  older.clean = false;
  auto file = mark_bytes(encode_mark_slot(older), encode_mark_slot(a_mark));
  EXPECT_EQ(file, golden("mark-1.bin"));
  auto read = decode_mark(golden("mark-1.bin"), "MARK");
  ASSERT_TRUE(read) << read.error().to_string();
  EXPECT_EQ(*read, a_mark);
}

TEST(journal_format, the_head_of_version_one_is_read_and_written_as_ever) {
  std::string value;
  encode_head(a_head, value);
  auto bytes = head_key(a_head.generation) + value;
  EXPECT_EQ(bytes, golden("head-1.bin"));
  EXPECT_EQ(decode_head(head_key(5), value), a_head);
  EXPECT_FALSE(decode_head(head_key(5), value + "x"));
  value[0] = 2;
  EXPECT_FALSE(decode_head(head_key(5), value));
}

TEST(journal_format, the_chain_of_version_one_never_changes) {
  std::vector<journal_put> puts{put("key", "value"), erase("gone"), erase_range("a", "b"),
                                put("", std::string_view{"\0", 1})};
  EXPECT_EQ(extend_chain(0, {1, 3, puts}), 1434762697656351656u);
  EXPECT_EQ(extend_chain(77, {4, 4, {}}), 2458255071576778135u);
}

TEST(journal_format, the_chain_sees_order_boundaries_and_kinds) {
  auto of = [](std::vector<journal_put> puts) { return extend_chain(1, {1, 1, puts}); };
  std::vector<std::uint64_t> chains{of({}),
                                    of({put("", "")}),
                                    of({put("", ""), put("", "")}),
                                    of({put("a", "b")}),
                                    of({put("ab", "")}),
                                    of({put("", "ab")}),
                                    of({erase("a")}),
                                    of({put("a", "")}),
                                    of({erase_range("a", "")}),
                                    of({put("a", ""), put("b", "")}),
                                    of({put("b", ""), put("a", "")}),
                                    extend_chain(1, {1, 2, {}}),
                                    extend_chain(2, {1, 1, {}})};
  std::sort(chains.begin(), chains.end());
  EXPECT_EQ(std::unique(chains.begin(), chains.end()), chains.end());
}

TEST(journal_format, one_damaged_slot_of_the_mark_is_borne_and_two_are_not) {
  auto newer = a_mark;
  newer.turn = 8;
  newer.durable = 1001;
  auto file = mark_bytes(encode_mark_slot(a_mark), encode_mark_slot(newer));
  EXPECT_EQ(decode_mark(file, "MARK")->durable, 1001u);
  file[2 * mark_page + 20] ^= 1;
  EXPECT_EQ(decode_mark(file, "MARK")->durable, 1000u);
  file[mark_page + 20] ^= 1;
  EXPECT_EQ(decode_mark(file, "MARK").error(), errc::corrupt);
}

TEST(journal_format, a_newer_version_is_told_from_a_damaged_one) {
  auto file = mark_bytes(encode_mark_slot(a_mark), encode_mark_slot(a_mark));
  file[8] ^= 2;
  EXPECT_EQ(decode_mark(file, "MARK").error(), errc::corrupt);
  auto newer = encode_mark_header(9);
  EXPECT_EQ(decode_mark(newer, "x/MARK").error(), errc::newer_format);
  EXPECT_EQ(decode_mark(newer, "x/MARK").error().message(),
            "x/MARK: format 9 is newer than 1, the newest that this version reads");
}

TEST(journal_format, heads_that_do_not_join_say_what_is_missing) {
  auto next = a_head;
  next.generation = 6;
  next.first = 1008;
  next.chain_before = a_head.chain;
  EXPECT_TRUE(joins(a_head, next, "data"));
  next.first = 1020;
  auto r = joins(a_head, next, "data");
  EXPECT_EQ(r.error().message(), "data: commits 1008 to 1019 are missing in the middle");
  next.first = 1008;
  next.chain_before = 1;
  EXPECT_EQ(joins(a_head, next, "data").error(), errc::corrupt);
}

TEST(split, the_middle_of_two_keys_lies_between_them) {
  std::vector<std::pair<std::string, std::string>> cases{
      {"", "\xff"}, {"a", "b"}, {"a", "aa"}, {"k", "l"}, {"same prefix 1", "same prefix 9"}};
  for (auto& [low, high] : cases) {
    auto mid = middle(low, high);
    EXPECT_GT(mid, low);
    EXPECT_LT(mid, high);
  }
  EXPECT_EQ(middle("a", std::string("a\0", 2)), "a");
}

} // namespace
