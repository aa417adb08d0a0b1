#include "journal_laws.hpp"

#include <holdfast/persistence/detail/mark.hpp>

#include <tests/support/directory_image.hpp>

#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace holdfast;
using namespace holdfast::testing;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

namespace {

struct opening : ::testing::Test {
  temporary_directory directory;
  std::string path() const { return directory / "data"; }
  std::unique_ptr<journal> make() const { return rocksdb({.directory = path()}); }

  void write(sequence first, sequence last, bool synced = true) const {
    auto j = make();
    ASSERT_TRUE(j->open());
    for (sequence n = first; n <= last; ++n)
      ASSERT_TRUE(workload::commit(*j, n, synced));
    ASSERT_TRUE(j->close());
  }

  // Leaves 20 commits that were synced, and half of their log.
  void lose_a_tail() const {
    {
      auto j = make();
      ASSERT_TRUE(j->open());
      for (sequence n = 1; n <= 20; ++n)
        ASSERT_TRUE(workload::commit(*j, n, true));
    }
    for (auto& entry : std::filesystem::directory_iterator(path()))
      if (entry.path().extension() == ".log")
        std::filesystem::resize_file(entry.path(), entry.file_size() / 2);
  }

  // Opens in vain: the error, after a look that no file changed.
  error refusal() const {
    auto before = read_directory(path());
    auto r = make()->open();
    EXPECT_EQ(read_directory(path()), before);
    return r ? error{errc::cancelled, "was not refused"} : r.error();
  }
};

TEST_F(opening, names_the_directory_and_the_process_that_holds_it) {
  auto j = make();
  ASSERT_TRUE(j->open());
  ASSERT_TRUE(workload::commit(*j, 1, true));
  int texts[2];
  ASSERT_EQ(::pipe(texts), 0);
  // The child is locked out before it reaches RocksDB, whose threads do not survive a fork.
  auto child = ::fork();
  if (child == 0) {
    auto text = refusal().to_string();
    // What the child expected in vain is not known here unless it says so.
    if (HasFailure())
      text += ", and a file was changed";
    auto written = ::write(texts[1], text.data(), text.size());
    ::_exit(HasFailure() || written <= 0 ? 1 : 0);
  }
  ASSERT_GT(child, 0);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "status " << status;
  char text[512];
  ::close(texts[1]); // or a child that wrote nothing is waited for
  auto size = ::read(texts[0], text, sizeof text);
  ::close(texts[0]);
  ASSERT_GT(size, 0);
  EXPECT_EQ((std::string{text, static_cast<std::size_t>(size)}),
            "locked: " + path() + ": is in use by process " + std::to_string(::getpid()));
}

TEST_F(opening, refuses_a_newer_format_and_names_both_versions) {
  write(1, 5);
  auto image = read_directory(path());
  image["MARK"].replace(0, 16, detail::encode_mark_header(7));
  image["MARK"].resize(50); // whatever else a newer version does
  write_directory(path(), image);
  auto e = refusal();
  EXPECT_EQ(e, errc::newer_format);
  EXPECT_THAT(e.message(), AllOf(StartsWith(path() + "/MARK"), HasSubstr("7"), HasSubstr("1"),
                                 HasSubstr("; lost: nothing;")));
}

TEST_F(opening, refuses_a_directory_that_is_not_a_journals) {
  write_directory(path(), {{"letter.txt", "dear"}});
  auto e = refusal();
  EXPECT_EQ(e, errc::corrupt);
  EXPECT_THAT(e.message(), AllOf(HasSubstr("MARK: is missing"), HasSubstr("; lost: unknown")));
}

TEST_F(opening, refuses_the_files_of_another_history) {
  write(1, 5);
  auto mark = read_directory(path())["MARK"];
  std::filesystem::remove_all(path());
  write(1, 4);
  {
    auto j = make();
    ASSERT_TRUE(j->open());
    ASSERT_TRUE(append(*j, 5, 5, {put("other", "history")}));
    ASSERT_TRUE(j->close());
  }
  auto image = read_directory(path());
  image["MARK"] = mark;
  write_directory(path(), image);
  auto e = refusal();
  EXPECT_EQ(e, errc::corrupt);
  EXPECT_THAT(e.message(), AllOf(HasSubstr("not the one that MARK records"),
                                 HasSubstr("lost: an unknown part of the 5 commits")));
}

TEST_F(opening, begins_again_where_a_creation_was_cut_short) {
  write(1, 5);
  auto image = read_directory(path());
  image["MARK.new"] = image["MARK"];
  image.erase("MARK");
  image.erase("CURRENT");
  write_directory(path(), image);
  auto j = make();
  auto info = j->open();
  ASSERT_TRUE(info) << info.error().to_string();
  EXPECT_EQ(info->last, 0u);
  EXPECT_TRUE(contents(*j)->empty());
}

TEST_F(opening, accepts_a_loss_when_told_to_and_goes_on_from_the_prefix) {
  lose_a_tail();
  auto e = refusal();
  ASSERT_EQ(e, errc::data_loss);
  auto lost = std::get<loss>(e.detail());
  EXPECT_EQ(lost.expected, 20u);
  EXPECT_THAT(e.message(), HasSubstr("commits " + std::to_string(lost.found + 1) + " to 20"));

  auto j = rocksdb({.directory = path(), .accept_loss = true});
  ASSERT_EQ(j->open()->last, lost.found);
  EXPECT_EQ(contents(*j), workload::after(lost.found));
  ASSERT_TRUE(workload::commit(*j, lost.found + 1, true));
  ASSERT_TRUE(j->close());
  EXPECT_EQ(make()->open()->last, lost.found + 1);
}

TEST_F(opening, shows_what_is_left_read_only_and_changes_nothing) {
  lose_a_tail();
  auto e = refusal();
  ASSERT_EQ(e, errc::data_loss);
  auto found = std::get<loss>(e.detail()).found;
  auto before = read_directory(path());
  {
    auto j = make();
    auto info = j->open_read_only();
    ASSERT_TRUE(info) << info.error().to_string();
    EXPECT_EQ(info->last, found);
    EXPECT_EQ(info->promised, 20u);
    EXPECT_EQ(contents(*j), workload::after(found));
    EXPECT_EQ(workload::commit(*j, found + 1, true).error(), errc::read_only);
    EXPECT_TRUE(j->close());
  }
  EXPECT_EQ(read_directory(path()), before);
  EXPECT_EQ(refusal(), errc::data_loss) << "as before";
}

TEST_F(opening, reads_only_a_journal_that_is_there) {
  auto r = make()->open_read_only();
  EXPECT_EQ(r.error(), errc::invalid_argument);
  EXPECT_THAT(r.error().message(), StartsWith(path() + "/MARK"));
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(opening, needs_a_directory_that_can_be_made) {
  write_directory(directory.path(), {{"file", ""}});
  auto r = rocksdb({.directory = directory / "file/data"})->open();
  EXPECT_EQ(r.error(), errc::io);
  EXPECT_THAT(r.error().message(), StartsWith(directory / "file/data"));
}

TEST_F(opening, makes_the_directories_above_its_own) {
  EXPECT_TRUE(rocksdb({.directory = directory / "a/b/c"})->open());
}

// A full disk, where the machine lets us mount one.
TEST_F(opening, a_full_disk_stops_the_writing_and_loses_nothing) {
  std::filesystem::create_directory(path());
  if (::mount("none", path().c_str(), "tmpfs", 0, "size=2m") != 0)
    GTEST_SKIP() << "needs the right to mount; failing_operation covers the same with faults";
  {
    temporary_directory elsewhere;
    rocksdb_options options{.directory = path() + "/journal", .max_wal_bytes = 256 << 10};
    auto j = rocksdb(options);
    ASSERT_TRUE(j->open());
    sequence n = 0;
    result<void> r;
    std::string large(10'000, 'x');
    while (r && n < 10'000)
      if (r = append(*j, n + 1, n + 1, {put("key " + std::to_string(n + 1), large)}, n % 8 == 0); r)
        ++n;
    EXPECT_TRUE(r.error() == errc::io || r.error() == errc::read_only) << r.error().to_string();
    EXPECT_EQ(append(*j, n + 1, n + 1, {}).error(), errc::read_only);
    EXPECT_GE(contents(*j)->size(), n);
    EXPECT_FALSE(j->close());
    // Room on another disk: all is there, and it goes on.
    write_directory(elsewhere / "journal", read_directory(options.directory));
    options.directory = elsewhere / "journal";
    auto again = rocksdb(options);
    auto info = again->open();
    ASSERT_TRUE(info) << info.error().to_string();
    EXPECT_GE(info->last, n);
    EXPECT_LE(info->last, n + 1);
    EXPECT_EQ(contents(*again)->size(), info->last);
    EXPECT_TRUE(append(*again, info->last + 1, info->last + 1, {}));
  }
  EXPECT_EQ(::umount2(path().c_str(), MNT_DETACH), 0);
}

} // namespace
