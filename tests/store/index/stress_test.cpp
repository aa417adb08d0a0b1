// Readers on other threads, against one writer.
#include "blocks.hpp"

#include <gmock/gmock.h>

#include <array>
#include <atomic>
#include <random>
#include <thread>

namespace holdfast::testing {
namespace {

using namespace detail;

constexpr std::int64_t key_count = 300;
constexpr std::int64_t total = 100'000;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int operations = 15'000;
#else
constexpr int operations = 60'000;
#endif

/// Records {key text, unique text, amount text, amount}: all that follows from key and amount is
/// checked, and the amounts of all records have one sum at every seq.
class bank {
public:
  explicit bank(line_kind kind)
      : line_(kind == line_kind::memory ? lines_.memory : lines_.durable), data_(line_, layout()) {
    insert(0, total);
    seal();
  }

  static bucket_layout layout() {
    return {0,
            {{index_type::unique, 1, index_kind::text},
             {index_type::ordered, 2, index_kind::text},
             {index_type::ordered, 3, index_kind::integer}}};
  }
  static std::string key(std::int64_t k) { return "account-with-number-" + std::to_string(k); }
  static std::string unique(std::int64_t k, std::int64_t amount) {
    return std::to_string(k) + "/" + std::to_string(amount % 3);
  }
  static std::string text(std::int64_t amount) { return "amount " + std::to_string(amount % 100); }
  static cells record(std::int64_t k, std::int64_t amount) {
    return {key(k), unique(k, amount), text(amount), amount};
  }
  static void expect_whole(const record_block& b) {
    const std::int64_t k = std::stoll(std::string(b.bytes_of(b.slots()[0]).substr(20)));
    EXPECT_EQ(cells_of(b), record(k, b.slots()[3].integer));
  }

  // -- the writer

  record_block* head(std::int64_t k) { return data_.find_head(std::string_view(key(k)), hash(k)); }
  static std::uint64_t hash(std::int64_t k) { return hash_of(std::string_view(key(k))); }
  void insert(std::int64_t k, std::int64_t amount) {
    data_.insert(make_block(data_.memory(), record(k, amount)));
  }
  void change(record_block* b, std::int64_t k, std::int64_t by) {
    data_.replace(b, make_block(data_.memory(), record(k, b->slots()[3].integer + by)));
  }
  /// Moves an amount from one account to another; accounts come and go.
  void transfer(std::mt19937_64& random) {
    const auto from = static_cast<std::int64_t>(random() % key_count);
    const auto to = static_cast<std::int64_t>(random() % key_count);
    record_block* a = head(from);
    if (a == nullptr || from == to)
      return;
    const std::int64_t all = a->slots()[3].integer;
    const bool whole = random() % 3 == 0 || all == 0;
    const std::int64_t amount =
        whole ? all : static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(all));
    if (whole)
      data_.erase(a);
    else
      change(a, from, -amount);
    if (record_block* b = head(to))
      change(b, to, amount);
    else
      insert(to, amount);
    if (random() % 8 == 0)
      data_.rollback();
    else
      seal();
  }
  /// The durable line publishes some commits behind what is sealed.
  void seal() {
    if (line_.kind() == line_kind::memory) {
      data_.seal();
      return;
    }
    constexpr std::uint64_t lag = 5;
    data_.prepare_seal();
    {
      const std::lock_guard guard(line_);
      const std::uint64_t seq = line_.take_seq();
      data_.seal_at(seq);
      line_.publish(std::max(seq, lag + 1) - lag);
    }
    data_.settle();
  }

  // -- readers

  static void check_scan(const read_view& view) {
    std::int64_t sum = 0, by_text = 0, by_amount = 0, last = -1;
    std::uint64_t n = 0;
    view.for_each(0, [&](const record_block& b) {
      expect_whole(b);
      sum += b.slots()[3].integer;
      ++n;
      return true;
    });
    EXPECT_EQ(n, view.count());
    EXPECT_EQ(sum, view.count() == 0 ? 0 : total);
    view.for_ranks(1, 0, view.index_size(1), [&](const record_block& b) {
      by_text += b.slots()[3].integer;
      return true;
    });
    view.for_ranks_back(2, 0, view.index_size(2), [&](const record_block& b) {
      EXPECT_TRUE(last == -1 || b.slots()[3].integer <= last);
      last = b.slots()[3].integer;
      by_amount += last;
      return true;
    });
    EXPECT_EQ(by_text, sum);
    EXPECT_EQ(by_amount, sum);
  }
  void read_some(std::mt19937_64& random, std::vector<handle>& kept) {
    const auto k = static_cast<std::int64_t>(random() % key_count);
    switch (random() % 16) {
    case 0: {
      const pin_guard pin(line_);
      return check_scan(read_view(data_, pin.seq()));
    }
    case 1: {
      const snapshot_pair held(lines_);
      for (int i = 0; i < 2; ++i) {
        const pin_guard pin(line_);
        check_scan(read_view(data_, held.seq(line_.kind())));
      }
      return;
    }
    case 2: {
      const pin_guard pin(line_);
      const read_view view(data_, pin.seq());
      const std::string value = unique(k, static_cast<std::int64_t>(random() % 3));
      const auto* b = view.find_unique(0, key_view(std::string_view(value)));
      const auto* by_key = view.find(std::string_view(key(k)));
      if (b != nullptr) {
        EXPECT_EQ(b, by_key);
      }
      return;
    }
    default: {
      handle h(data_.get(std::string_view(key(k)), hash(k)));
      if (!h)
        return;
      expect_whole(*h);
      if (kept.size() < 50)
        kept.push_back(std::move(h));
      else
        kept[random() % kept.size()] = std::move(h);
    }
    }
  }

  commit_lines lines_;
  commit_line& line_;
  bucket_data data_;
};

class readers_beside_a_writer : public ::testing::TestWithParam<line_kind> {};

TEST_P(readers_beside_a_writer, see_whole_commits_and_keep_what_they_hold) {
  bank b(GetParam());
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 3; ++t)
    threads.emplace_back([&, t] {
      std::mt19937_64 random(t);
      std::vector<handle> kept;
      do {
        b.read_some(random, kept);
      } while (!stop.load());
      for (const handle& h : kept)
        bank::expect_whole(*h);
    });
  std::mt19937_64 random(99);
  for (int i = 0; i < operations; ++i)
    b.transfer(random);
  stop = true;
  for (auto& t : threads)
    t.join();
  b.data_.seal();
  b.data_.seal();
  b.data_.reclaim();
  EXPECT_EQ(b.data_.waiting(), 0U);
}

INSTANTIATE_TEST_SUITE_P(lines, readers_beside_a_writer,
                         ::testing::Values(line_kind::memory, line_kind::durable));

TEST(pool, is_freed_by_whichever_thread_drops_the_last_handle) {
  for (int round = 0; round < 200; ++round) {
    std::vector<std::vector<handle>> parts(3);
    std::atomic<int> ready{0};
    std::vector<std::thread> threads;
    {
      commit_lines lines;
      bucket_data data(lines.memory, bank::layout());
      for (std::int64_t i = 0; i < 30; ++i)
        data.insert(make_block(data.memory(), bank::record(i, i)));
      data.seal();
      for (std::int64_t i = 0; i < 30; ++i)
        parts[static_cast<std::size_t>(i % 3)].emplace_back(
            data.get(std::string_view(bank::key(i)), bank::hash(i)));
      for (auto& part : parts)
        threads.emplace_back([&] {
          ++ready;
          part.clear();
        });
      while (ready.load() == 0)
        std::this_thread::yield();
    }
    for (auto& t : threads)
      t.join();
  }
}

} // namespace
} // namespace holdfast::testing
