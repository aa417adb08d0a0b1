#include "journal_laws.hpp"

#include <thread>

using namespace holdfast;
using namespace holdfast::testing;
using ::testing::ElementsAre;
using ::testing::Pair;

namespace {

template <class Place>
struct journal_laws : ::testing::Test {
  Place place;
  std::unique_ptr<journal> open() {
    auto j = place.make();
    auto info = j->open();
    EXPECT_TRUE(info) << info.error().to_string();
    return j;
  }
};

using places = ::testing::Types<on_memory, on_rocksdb, on_rocksdb_with_small_logs>;
TYPED_TEST_SUITE(journal_laws, places);

TYPED_TEST(journal_laws, a_new_journal_is_empty_and_of_epoch_one) {
  auto j = this->place.make();
  auto info = j->open();
  ASSERT_TRUE(info) << info.error().to_string();
  EXPECT_EQ(info->last, 0u);
  EXPECT_EQ(info->epoch, 1u);
  EXPECT_EQ(info->chain, 0u);
  EXPECT_TRUE(info->clean);
  EXPECT_TRUE(contents(*j)->empty());
}

TYPED_TEST(journal_laws, what_is_closed_comes_back_with_its_sequence_and_chain) {
  auto j = this->open();
  for (sequence n = 1; n <= 40; ++n)
    ASSERT_TRUE(workload::commit(*j, n, n % 3 == 0));
  ASSERT_TRUE(j->close());
  EXPECT_EQ(j->durable(), 40u);

  auto again = this->place.make();
  auto info = again->open();
  ASSERT_TRUE(info) << info.error().to_string();
  EXPECT_EQ(info->last, 40u);
  EXPECT_EQ(info->epoch, 2u);
  EXPECT_TRUE(info->clean);
  EXPECT_EQ(contents(*again), workload::after(40));
}

TYPED_TEST(journal_laws, opened_read_only_it_shows_all_and_takes_nothing) {
  {
    auto j = this->open();
    for (sequence n = 1; n <= 20; ++n)
      ASSERT_TRUE(workload::commit(*j, n, n % 3 == 0));
  } // as a crash leaves it
  for (int round = 0; round < 2; ++round) {
    auto j = this->place.make();
    auto info = j->open_read_only();
    ASSERT_TRUE(info) << info.error().to_string();
    EXPECT_EQ(info->last, 20u);
    EXPECT_EQ(info->promised, 20u);
    EXPECT_EQ(info->epoch, 1u) << "it does not count";
    EXPECT_EQ(contents(*j), workload::after(20));
    EXPECT_EQ(workload::commit(*j, 21, true).error(), errc::read_only);
    EXPECT_EQ(j->sync().error(), errc::read_only);
    EXPECT_EQ(this->place.make()->open().error(), errc::locked);
    EXPECT_TRUE(j->close());
  }
  auto again = this->place.make();
  auto info = again->open();
  ASSERT_TRUE(info) << info.error().to_string();
  EXPECT_EQ(info->last, 20u);
  EXPECT_EQ(info->epoch, 2u);
  EXPECT_FALSE(info->clean) << "nobody has closed it in order";
  EXPECT_TRUE(workload::commit(*again, 21, true)) << "as before";
}

TYPED_TEST(journal_laws, the_chain_is_that_of_the_same_batches_in_any_journal) {
  auto disk = std::make_shared<memory_disk>();
  auto reference = memory_journal(disk);
  ASSERT_TRUE(reference->open());
  auto j = this->open();
  for (sequence n = 1; n <= 30; ++n) {
    ASSERT_TRUE(workload::commit(*j, n, false));
    ASSERT_TRUE(workload::commit(*reference, n, false));
  }
  ASSERT_TRUE(j->close());
  ASSERT_TRUE(reference->close());
  EXPECT_EQ(j->open()->chain, reference->open()->chain);
}

TYPED_TEST(journal_laws, an_open_journal_can_be_left_without_closing) {
  {
    auto j = this->open();
    for (sequence n = 1; n <= 40; ++n)
      ASSERT_TRUE(workload::commit(*j, n, true));
  }
  auto j = this->place.make();
  auto info = j->open();
  ASSERT_TRUE(info) << info.error().to_string();
  EXPECT_EQ(info->last, 40u);
  EXPECT_FALSE(info->clean);
  EXPECT_EQ(contents(*j), workload::after(40));
}

TYPED_TEST(journal_laws, every_open_has_an_epoch_of_its_own) {
  for (std::uint64_t epoch = 1; epoch <= 5; ++epoch) {
    auto j = this->place.make();
    EXPECT_EQ(j->open()->epoch, epoch);
    if (epoch % 2 == 0) {
      EXPECT_TRUE(j->close());
    }
  }
}

TYPED_TEST(journal_laws, a_batch_that_does_not_follow_is_refused_and_changes_nothing) {
  auto j = this->open();
  ASSERT_TRUE(append(*j, 1, 3, {put("a", "1")}));
  EXPECT_EQ(append(*j, 5, 5, {put("b", "2")}).error(), errc::invalid_argument);
  EXPECT_EQ(append(*j, 3, 3, {put("b", "2")}).error(), errc::invalid_argument);
  EXPECT_EQ(append(*j, 4, 3, {put("b", "2")}).error(), errc::invalid_argument);
  EXPECT_TRUE(append(*j, 4, 4, {put("c", "3")}));
  EXPECT_THAT(*contents(*j), ElementsAre(Pair("a", "1"), Pair("c", "3")));
}

TYPED_TEST(journal_laws, the_journals_own_keys_are_refused_and_never_seen) {
  auto j = this->open();
  std::string reserved{journal_reserved}, below = reserved.substr(1);
  EXPECT_EQ(append(*j, 1, 1, {put(reserved + "x", "")}).error(), errc::invalid_argument);
  EXPECT_EQ(append(*j, 1, 1, {erase_range("a", reserved + "x")}).error(), errc::invalid_argument);
  ASSERT_TRUE(append(*j, 1, 1, {put(below, "mine")}));
  ASSERT_TRUE(append(*j, 2, 2, {erase_range("x", "")}));
  EXPECT_TRUE(contents(*j, "x", reserved + reserved)->empty());
  ASSERT_TRUE(append(*j, 3, 3, {put("y", "")}));
  ASSERT_TRUE(j->close());
  EXPECT_EQ(j->open()->last, 3u);
}

TYPED_TEST(journal_laws, erasing_a_range_takes_its_start_and_leaves_its_end) {
  auto j = this->open();
  ASSERT_TRUE(append(*j, 1, 1, {put("a", ""), put("b", ""), put("c", ""), put("d", "")}));
  ASSERT_TRUE(append(*j, 2, 2, {erase_range("b", "d"), erase_range("z", "a")}));
  EXPECT_THAT(*contents(*j), ElementsAre(Pair("a", ""), Pair("d", "")));
}

TYPED_TEST(journal_laws, a_later_write_of_a_batch_wins_over_an_earlier) {
  auto j = this->open();
  ASSERT_TRUE(append(*j, 1, 1,
                     {put("a", "1"), put("a", "2"), put("b", "1"), erase("b"), erase("c"),
                      put("c", "1"), erase_range("d", "e"), put("d", "1")}));
  EXPECT_THAT(*contents(*j), ElementsAre(Pair("a", "2"), Pair("c", "1"), Pair("d", "1")));
}

TYPED_TEST(journal_laws, any_bytes_are_keys_and_values) {
  auto j = this->open();
  std::string zero(3, '\0'), high = "\xff\xff\xff", large(70'000, 'x');
  ASSERT_TRUE(append(*j, 1, 1, {put("", "empty"), put(zero, high), put(high, large)}));
  ASSERT_TRUE(j->close());
  ASSERT_TRUE(j->open());
  EXPECT_THAT(*contents(*j), ElementsAre(Pair("", "empty"), Pair(zero, high), Pair(high, large)));
}

TYPED_TEST(journal_laws, a_scan_visits_its_range_in_byte_order_until_told_to_stop) {
  auto j = this->open();
  ASSERT_TRUE(append(*j, 1, 1, {put("b", ""), put("a\xff", ""), put("c", ""), put("a", "")}));
  std::string seen;
  auto r = j->scan("a", "c", [&](std::string_view key, std::string_view) -> result<void> {
    seen += std::string{key} + ";";
    if (key == "b")
      return fail(errc::cancelled);
    return {};
  });
  EXPECT_EQ(seen, "a;a\xff;b;");
  EXPECT_EQ(r.error(), errc::cancelled);
  EXPECT_TRUE(contents(*j, "c", "b")->empty());
}

TYPED_TEST(journal_laws, durable_moves_with_synced_appends_and_with_sync_only) {
  auto j = this->open();
  ASSERT_TRUE(append(*j, 1, 2, {put("a", "")}, false));
  EXPECT_EQ(j->durable(), 0u);
  ASSERT_TRUE(j->sync());
  EXPECT_EQ(j->durable(), 2u);
  ASSERT_TRUE(append(*j, 3, 3, {}, false));
  EXPECT_EQ(j->durable(), 2u);
  ASSERT_TRUE(append(*j, 4, 9, {}, true));
  EXPECT_EQ(j->durable(), 9u);
}

TYPED_TEST(journal_laws, pieces_of_a_split_are_scanned_together_from_several_threads) {
  auto j = this->open();
  sequence n = 0;
  for (int i = 0; i < 64; ++i) {
    std::vector<std::string> keys;
    std::vector<journal_put> puts;
    for (int k = 0; k < 64; ++k)
      keys.push_back("k" + std::to_string((i * 64 + k) * 7919 % 4096));
    for (auto& key : keys)
      puts.push_back(put(key, "some value, long enough to fill a few blocks of a table"));
    ++n;
    ASSERT_TRUE(append(*j, n, n, puts, false));
  }
  ASSERT_TRUE(j->close());
  ASSERT_TRUE(j->open());
  auto cuts = j->split("k", "l", 4);
  ASSERT_FALSE(cuts.empty());
  ASSERT_LE(cuts.size(), 3u);
  EXPECT_TRUE(std::is_sorted(cuts.begin(), cuts.end()));
  std::vector<std::string> bounds{"k"};
  bounds.insert(bounds.end(), cuts.begin(), cuts.end());
  bounds.push_back("l");
  std::vector<entries> pieces(bounds.size() - 1);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < pieces.size(); ++i)
    threads.emplace_back([&, i] { pieces[i] = *contents(*j, bounds[i], bounds[i + 1]); });
  for (auto& t : threads)
    t.join();
  entries all;
  for (auto& piece : pieces) {
    EXPECT_LT(piece.size(), 4096 * 3 / 4u);
    all.merge(piece);
  }
  EXPECT_EQ(all.size(), 4096u);
  EXPECT_EQ(all, contents(*j));
}

TYPED_TEST(journal_laws, a_second_journal_on_the_same_place_is_locked_out_until_the_first_closes) {
  auto first = this->open();
  auto second = this->place.make();
  EXPECT_EQ(second->open().error(), errc::locked);
  ASSERT_TRUE(append(*first, 1, 1, {put("a", "1")}));
  ASSERT_TRUE(first->close());
  auto info = second->open();
  ASSERT_TRUE(info) << info.error().to_string();
  EXPECT_EQ(info->last, 1u);
}

TYPED_TEST(journal_laws, nothing_works_before_open_and_after_close) {
  auto j = this->place.make();
  EXPECT_EQ(append(*j, 1, 1, {}).error(), errc::stopped);
  ASSERT_TRUE(j->open());
  ASSERT_TRUE(j->close());
  EXPECT_TRUE(j->close());
  EXPECT_EQ(append(*j, 1, 1, {}).error(), errc::stopped);
  EXPECT_EQ(j->sync().error(), errc::stopped);
  EXPECT_EQ(contents(*j).error(), errc::stopped);
  EXPECT_TRUE(j->split("a", "b", 4).empty());
}

} // namespace
