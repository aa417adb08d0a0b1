#include "journal_laws.hpp"
#include "refusal_text.hpp"

#include <tests/support/directory_image.hpp>
#include <tests/support/disk/fault_disk.hpp>
#include <tests/support/in_parallel.hpp>

#include <iostream>
#include <mutex>
#include <random>

using namespace holdfast;
using namespace holdfast::testing;

namespace {

/// A journal's files as they were left, and how many commits are in them.
struct sample {
  directory_image files;
  sequence last = 0;
};

rocksdb_options small(const std::string& directory) {
  return {.directory = directory, .max_wal_bytes = 900};
}

void commit(journal& j, sequence from, sequence to) {
  for (sequence n = from; n <= to; ++n) {
    auto r = workload::commit(j, n, n % 3 == 0);
    ASSERT_TRUE(r) << r.error().to_string();
  }
}

// Two openings, several generations in tables.
sample closed() {
  temporary_directory place{temporary_directory::in_memory};
  auto j = rocksdb(small(place / "data"));
  for (sequence n : {0, 20}) {
    EXPECT_TRUE(j->open());
    commit(*j, n + 1, n + 20);
    EXPECT_TRUE(j->close());
  }
  return {read_directory(place / "data"), 40};
}

// The same, then an opening that never closes: tables, and one log.
sample killed() {
  temporary_directory place{temporary_directory::in_memory};
  write_directory(place / "data", closed().files);
  auto j = rocksdb({.directory = place / "data"});
  EXPECT_TRUE(j->open());
  commit(*j, 41, 60);
  return {read_directory(place / "data"), 60};
}

// Killed while a table was being written: two logs that continue each other, and tables.
sample killed_while_flushing() {
  temporary_directory place{temporary_directory::in_memory};
  write_directory(place / "data", killed().files);
  fault_disk disk(place / "data");
  auto options = small(place / "data");
  options.file_system = disk.file_system();
  auto j = rocksdb(options);
  EXPECT_TRUE(j->open());
  disk.hold_tables();
  commit(*j, 61, 68);
  disk.wait_until_held();
  auto files = read_directory(place / "data");
  disk.release_tables();
  std::erase_if(files, [](auto& file) { return file.second.empty(); }); // the table not begun
  return {files, 68};
}

/// One damage to one file: nothing if the file is to vanish.
struct damage {
  std::string file;
  std::string what;
  std::optional<std::string> bytes;
};

/// Judges what an open makes of a damaged journal; empty if rightly. Right is: all that was written
/// is there byte for byte, or a clear error and unchanged files.
std::string judge(const sample& whole, const damage& d, const rocksdb_options& how) {
  auto before = whole.files;
  if (d.bytes)
    before[d.file] = *d.bytes;
  else
    before.erase(d.file);
  write_directory(how.directory, before);
  auto j = rocksdb(how);
  auto info = j->open();
  if (info) {
    if (info->last != whole.last)
      return "opened with " + std::to_string(info->last) + " commits";
    auto found = contents(*j);
    if (!found)
      return "opened, then " + found.error().to_string();
    return *found == workload::after(whole.last) ? "" : "opened with other contents";
  }
  auto& e = info.error();
  if (e.code() != errc::corrupt && e.code() != errc::data_loss)
    return "refused with " + e.to_string();
  if (auto wrong = wrong_in(e.message(), {how.directory, d.file, whole.last}); !wrong.empty())
    return "refused with a text that " + wrong + ": " + e.to_string();
  return read_directory(how.directory) == before ? "" : "refused, and changed files";
}

/// Where samples begin: as HOLDFAST_DAMAGE_SEED says; else at the same place in each run, so that
/// one cannot fail where the one before passed, but with HOLDFAST_FULL at another.
std::uint64_t sampling_seed() {
  static const std::uint64_t one = [] {
    auto* text = std::getenv("HOLDFAST_DAMAGE_SEED");
    auto seed = text           ? std::strtoull(text, nullptr, 10)
                : every_case() ? std::random_device{}()
                               : std::uint64_t{1};
    std::cout << "HOLDFAST_DAMAGE_SEED=" << seed << "\n";
    return seed;
  }();
  return one;
}

std::string how_to_repeat() {
  return "again: HOLDFAST_DAMAGE_SEED=" + std::to_string(sampling_seed());
}

/// Tries every damage, or every n-th so that about `sample_size` remain; gives the wrong outcomes.
std::vector<std::string> try_all(const sample& whole, const std::vector<damage>& damages,
                                 std::size_t sample_size, rocksdb_options how = small({})) {
  if (damages.empty()) {
    ADD_FAILURE() << "there is no damage to try";
    return {"nothing was tried"};
  }
  auto stride = every_case() ? 1 : (damages.size() + sample_size - 1) / sample_size;
  auto start = std::mt19937_64{sampling_seed()}() % stride;
  auto count = (damages.size() - start + stride - 1) / stride;
  temporary_directory place{temporary_directory::in_memory};
  std::vector<std::string> wrong;
  std::mutex mutex;
  in_parallel(count, 4, [&](std::size_t i) {
    auto& d = damages[start + i * stride];
    auto mine = how;
    mine.directory = place / std::to_string(i);
    auto verdict = judge(whole, d, mine);
    std::filesystem::remove_all(mine.directory);
    std::lock_guard lock(mutex);
    if (!verdict.empty())
      wrong.push_back(d.file + ", " + d.what + ": " + verdict);
    if (every_case() && i % 10'000 == 9'999)
      std::cout << i + 1 << " of " << count << " damages tried\n" << std::flush;
    return wrong.size() < 20;
  });
  return wrong;
}

// Only the files whose name has HOLDFAST_FILE in it, if that is set.
bool asked_for(const std::string& name) {
  auto* part = std::getenv("HOLDFAST_FILE");
  return !part || name.find(part) != std::string::npos;
}

std::vector<damage> flips(const sample& whole) {
  std::vector<damage> all;
  for (auto& [name, bytes] : whole.files)
    for (std::size_t at = 0; at < bytes.size() && asked_for(name); ++at) {
      // Most of MARK is padding, which nobody reads.
      if (name == "MARK" && at % 4096 > 64 && !every_case())
        continue;
      for (int mask : {0xff, 1 << at % 8}) {
        auto flipped = bytes;
        flipped[at] = static_cast<char>(flipped[at] ^ mask);
        all.push_back({name, "byte " + std::to_string(at) + " ^ " + std::to_string(mask), flipped});
        if (!every_case())
          break;
      }
    }
  return all;
}

std::vector<damage> cuts(const sample& whole) {
  std::vector<damage> all;
  for (auto& [name, bytes] : whole.files) {
    all.push_back({name, "removed", std::nullopt});
    for (std::size_t length = 0; length < bytes.size(); ++length)
      if (name != "MARK" || length % 4096 < 64 || every_case())
        all.push_back({name, "cut to " + std::to_string(length), bytes.substr(0, length)});
  }
  return all;
}

struct kind {
  const char* name;
  sample (*make)();
};
struct damaged : ::testing::TestWithParam<kind> {};

TEST_P(damaged, a_flipped_byte_of_any_file_is_harmless_or_refused) {
  auto whole = GetParam().make();
  EXPECT_THAT(try_all(whole, flips(whole), 300), ::testing::IsEmpty()) << how_to_repeat();
}

TEST_P(damaged, a_cut_of_any_file_is_harmless_or_refused) {
  auto whole = GetParam().make();
  EXPECT_THAT(try_all(whole, cuts(whole), 300), ::testing::IsEmpty()) << how_to_repeat();
}

TEST_P(damaged, a_lost_file_is_harmless_or_refused) {
  auto whole = GetParam().make();
  auto lost = cuts(whole);
  std::erase_if(lost, [](auto& d) { return d.bytes.has_value(); });
  EXPECT_THAT(try_all(whole, lost, lost.size()), ::testing::IsEmpty()) << how_to_repeat();
}

INSTANTIATE_TEST_SUITE_P(journal, damaged,
                         ::testing::Values(kind{"closed", closed}, kind{"killed", killed},
                                           kind{"killed_while_flushing", killed_while_flushing}),
                         [](auto& p) { return std::string{p.param.name}; });

// The checker must be able to fail: with the mark ignored, cuts of a log go unnoticed.
TEST(damage_checker, finds_that_a_journal_without_its_mark_check_loses_commits) {
  auto whole = killed();
  auto lost = cuts(whole);
  std::erase_if(lost, [](auto& d) { return !d.file.ends_with(".log"); });
  EXPECT_THAT(try_all(whole, lost, 100), ::testing::IsEmpty()) << how_to_repeat();
  EXPECT_THAT(
      try_all(whole, lost, 100, {.directory = {}, .max_wal_bytes = 900, .accept_loss = true}),
      ::testing::Not(::testing::IsEmpty()))
      << how_to_repeat();
}

} // namespace
