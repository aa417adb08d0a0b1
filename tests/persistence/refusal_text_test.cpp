// What a refused open says, for all that may be known of the loss; damage_test has it from
// journals.
#include "refusal_text.hpp"

#include <holdfast/persistence/detail/remains.hpp>

#include <gmock/gmock.h>

namespace holdfast::testing {
namespace {

std::string told(errc code, const detail::remains& known) {
  return detail::saying_what_is_lost(error{code, "/d/x: is bad"}, known).message();
}
detail::mark recording(sequence written, sequence durable) {
  return {.durable = durable, .written = written};
}

TEST(a_refusal, says_which_commits_are_lost_as_far_as_that_is_known) {
  const auto corrupt = errc::corrupt;
  const auto marked = recording(60, 57);
  EXPECT_EQ(told(corrupt, {marked, 40}),
            "/d/x: is bad; lost: commits 41 to 60 of the 60 commits that MARK records (57 synced), "
            "while commits 1 to 40 are there; restore a backup");
  EXPECT_EQ(told(corrupt, {recording(2, 2), 1}),
            "/d/x: is bad; lost: commit 2 of the 2 commits that MARK records, while commit 1 is "
            "there; restore a backup");
  EXPECT_EQ(told(corrupt, {recording(1, 1), 0}),
            "/d/x: is bad; lost: commit 1 of the 1 commit that MARK records; restore a backup");
  EXPECT_EQ(told(corrupt, {marked, {}}),
            "/d/x: is bad; lost: an unknown part of the 60 commits that MARK records (57 synced); "
            "restore a backup");
  EXPECT_EQ(told(corrupt, {marked, 60}),
            "/d/x: is bad; lost: only that, while commits 1 to 60 are there; restore a backup");
  EXPECT_EQ(told(corrupt, {recording(0, 0), {}}),
            "/d/x: is bad; lost: nothing that was promised, as MARK records no commit; "
            "restore a backup");
}

TEST(a_refusal, says_what_is_there_when_the_mark_cannot_be_read) {
  EXPECT_EQ(told(errc::corrupt, {{}, 40}),
            "/d/x: is bad; lost: what came after commit 40, if anything did, which only MARK could "
            "tell, while commits 1 to 40 are there; restore a backup");
  EXPECT_EQ(told(errc::corrupt, {{}, 0}),
            "/d/x: is bad; lost: all commits, if there were any, which only MARK could tell; "
            "restore a backup");
  EXPECT_EQ(told(errc::corrupt, {}),
            "/d/x: is bad; lost: unknown, as neither MARK nor the rest can be read; "
            "restore a backup");
}

TEST(a_refusal, says_what_can_be_done) {
  const detail::remains known{recording(9, 9), 4};
  EXPECT_TRUE(told(errc::data_loss, known)
                  .ends_with("; restore a backup, or open it read-only to see what is left"));
  EXPECT_TRUE(told(errc::io, known).ends_with("; mend the disk, or restore a backup"));
  EXPECT_EQ(told(errc::newer_format, {}),
            "/d/x: is bad; lost: nothing; open it with the version that wrote it");
  EXPECT_EQ(told(errc::locked, known), "/d/x: is bad") << "nothing is damaged";
}

TEST(a_refusal, for_the_disk_after_all_was_found_says_what_is_there) {
  const auto there = [](errc code, const detail::remains& known) {
    return detail::saying_what_is_there(error{code, "/d: is full"}, known).message();
  };
  const std::string advice = "; free some space or mend the disk, and open it again";
  EXPECT_EQ(there(errc::io, {recording(60, 57), 60}),
            "/d: is full; lost: nothing, while commits 1 to 60 are there" + advice);
  EXPECT_EQ(there(errc::io, {recording(0, 0), 0}), "/d: is full; lost: nothing" + advice);
  EXPECT_EQ(there(errc::io, {recording(60, 57), 40}),
            "/d: is full; lost: no more than commits 41 to 60 of the 60 commits that MARK records "
            "(57 synced), while commits 1 to 40 are there" +
                advice);
  EXPECT_THAT(there(errc::corrupt, {recording(60, 57), 60}),
              ::testing::EndsWith("restore a backup"));
  EXPECT_EQ(there(errc::locked, {recording(60, 57), 60}), "/d: is full");
}

TEST(a_refusal, keeps_its_code_place_and_detail) {
  const error why{errc::data_loss, "/d: ends early", {.bucket = "users"}, loss{9, 4}};
  const auto e = detail::saying_what_is_lost(why.because(error{errc::io, "a fault"}), {});
  EXPECT_EQ(e, errc::data_loss);
  EXPECT_EQ(e.where().bucket, "users");
  EXPECT_EQ(std::get<loss>(e.detail()).found, 4u);
  ASSERT_TRUE(e.cause());
  EXPECT_EQ(*e.cause(), errc::io);
}

// The check of damage_test must be able to fail: here it does, for every way to say too little.
struct checked_text : ::testing::Test {
  static constexpr const char* part = "an unknown part of the 60 commits that MARK records";
  static constexpr const char* advice = "; restore a backup";
  static std::string of_table(const std::string& text) {
    return wrong_in(text + advice, {"/d", "000012.sst", 60});
  }
  static std::string of_mark(const std::string& text) {
    return wrong_in(text + advice, {"/d", "MARK", 60});
  }
};

TEST_F(checked_text, of_a_damaged_file_names_the_file_and_the_number_of_commits) {
  const std::string bad = "/d/000012.sst: its checksum does not match";
  EXPECT_EQ(of_table(bad + "; lost: " + part), "");
  EXPECT_EQ(of_table(bad + "; lost: " + part + " (57 synced)"), "");
  EXPECT_NE(of_table(bad), "");
  EXPECT_NE(of_table(bad + "; lost: something"), "");
  EXPECT_NE(of_table(bad + "; lost: an unknown part of the 59 commits that MARK records"), "");
  EXPECT_NE(of_table(std::string{"/d/000013.sst: is bad; lost: "} + part), "");
  EXPECT_NE(of_table(std::string{"/e/000012.sst: is bad; lost: "} + part), "");
  EXPECT_NE(wrong_in(bad + "; lost: " + part, {"/d", "000012.sst", 60}), "") << "no advice";
}

TEST_F(checked_text, of_a_lost_tail_adds_up) {
  const std::string missing = "/d: commits 57 to 60 are missing; lost: ";
  const std::string tail = "commits 57 to 60 of the 60 commits that MARK records";
  EXPECT_EQ(of_table(missing + tail + ", while commits 1 to 56 are there"), "");
  EXPECT_NE(of_table(missing + tail + ", while commits 1 to 57 are there"), "");
  EXPECT_NE(of_table(missing + tail), "");
  EXPECT_NE(of_table("/d: some are missing; lost: " + tail + ", while commits 1 to 56 are there"),
            "");
  EXPECT_NE(of_table(missing + "commits 57 to 59 of the 60 commits that MARK records, while "
                               "commits 1 to 56 are there"),
            "");
}

TEST_F(checked_text, of_a_damaged_mark_tells_all_that_is_there) {
  const std::string after = "/d/MARK: is missing; lost: what came after commit ";
  const std::string there = ", if anything did, which only MARK could tell, while commits 1 to ";
  EXPECT_EQ(of_mark(after + "60" + there + "60 are there"), "");
  EXPECT_NE(of_mark(after + "59" + there + "59 are there"), "");
  EXPECT_NE(of_mark(std::string{"/d/MARK: is missing; lost: "} + part), "");
  EXPECT_NE(of_table(after + "60" + there + "60 are there"), "");
}

} // namespace
} // namespace holdfast::testing
