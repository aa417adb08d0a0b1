#include "people_store.hpp"
#include "raw_rocksdb.hpp"
#include "rows.hpp"

#include <holdfast/persistence/rocksdb.hpp>

#include <atomic>
#include <filesystem>
#include <latch>
#include <semaphore>
#include <thread>

namespace holdfast::bench {

namespace {

/// Keeps what the store writes, commit by commit, and nothing else.
class recording_journal final : public journal {
public:
  explicit recording_journal(std::vector<commit_bytes>& into) : into_{into} {}

  result<journal_info> open() override { return journal_info{.epoch = 1}; }
  result<void> append(const journal_batch& batch, bool) override {
    auto& commit = into_.emplace_back();
    for (auto& put : batch.puts)
      if (put.what == journal_put::kind::put)
        commit.puts.push_back({std::string{put.key}, std::string{put.value}});
    last_ = batch.last;
    return {};
  }
  result<void> sync() override { return {}; }
  result<void> scan(std::string_view, std::string_view, const visitor&) const override {
    return {};
  }
  std::vector<std::string> split(std::string_view, std::string_view, unsigned) const override {
    return {};
  }
  sequence durable() const noexcept override { return last_; }
  result<void> close() override { return {}; }
  std::string name() const override { return "recording"; }

private:
  std::vector<commit_bytes>& into_;
  sequence last_ = 0;
};

/// What `people_count` inserts make the store write: one blocking insert after another, so that
/// each commit is a batch of its own.
const std::vector<commit_bytes>& recorded() {
  static const auto commits = [] {
    std::vector<commit_bytes> out;
    {
      people_store s{
          {.journal = std::make_unique<recording_journal>(out), .durability = durability::sync}};
      out.clear(); // the definition of the bucket
      for (auto& p : people(people_count))
        s.insert(p);
    }
    out.resize(people_count); // the close writes, too
    return out;
  }();
  return commits;
}

/// A store on a fresh directory.
people_store fresh_store(const settings& asked, durability level) {
  auto directory = asked.directory + "/ours";
  std::filesystem::remove_all(directory);
  return people_store{{.journal = rocksdb({.directory = directory}), .durability = level}};
}

/// One thread that keeps `window` inserts unanswered. With 1 it simply blocks.
double unwaited_rate(const settings& asked, std::size_t count, std::ptrdiff_t window) {
  auto s = fresh_store(asked, durability::sync);
  const auto list = people(static_cast<std::uint32_t>(count));
  if (window == 1)
    return operations_per_second(count, [&] {
      for (auto& p : list)
        s.insert(p);
    });
  std::counting_semaphore<> free{window};
  std::atomic<std::size_t> failed{0};
  auto rate = operations_per_second(count, [&] {
    for (auto& p : list) {
      free.acquire();
      s.pending_insert(p).on_completion([&](result<record> r) {
        if (!r)
          ++failed;
        free.release();
      });
    }
    for (std::ptrdiff_t i = 0; i < window; ++i)
      free.acquire();
  });
  if (failed != 0)
    throw std::runtime_error{"an unwaited insert failed"};
  return rate;
}

double blocking_rate(const settings& asked, std::size_t count, std::size_t threads) {
  auto s = fresh_store(asked, durability::sync);
  const auto list = people(static_cast<std::uint32_t>(count));
  const auto share = list.size() / threads;
  std::latch ready{static_cast<std::ptrdiff_t>(threads) + 1};
  std::vector<std::jthread> writers;
  for (std::size_t t = 0; t < threads; ++t)
    writers.emplace_back([&, t] {
      ready.arrive_and_wait();
      for (auto i = t * share; i < (t + 1) * share; ++i)
        s.insert(list[i]);
    });
  ready.arrive_and_wait();
  return operations_per_second(share * threads, [&] { writers.clear(); });
}

/// Limit: one thread, WriteBatches of 64 commits each, unsynced, the bytes of `recorded()`. Ours:
/// one blocking insert after another, acknowledged before they are written.
figure insert_async(const settings& asked) {
  return compare(
      {.name = "insert_async", .unit = "op/s", .reach = 0.8, .want = goal::at_least},
      asked.repetitions(),
      [&] { return raw_unsynced_rate(asked.directory + "/raw", recorded(), 64); },
      [&] {
        auto s = fresh_store(asked, durability::async);
        const auto list = people(people_count);
        return operations_per_second(people_count, [&] {
          for (auto& p : list)
            s.insert(p);
          // The rate counts only when all of it has been written.
          must(s.db.sync());
        });
      });
}

/// Limit: as many threads as operations are unwaited, one synced write of one commit's bytes each.
row insert_sync(std::size_t window, std::size_t count, double reach) {
  auto name = "insert_sync_" + std::to_string(window) + "_unwaited";
  return {name, [=](const settings& asked) {
            auto some = asked.quick ? count / 4 : count;
            return compare(
                {.name = name, .unit = "op/s", .reach = reach, .want = goal::at_least},
                asked.repetitions(),
                [&] {
                  return raw_synced_rate(asked.directory + "/raw",
                                         std::span{recorded()}.first(some), window);
                },
                [&] { return unwaited_rate(asked, some, static_cast<std::ptrdiff_t>(window)); });
          }};
}

figure insert_sync_blocking(const settings& asked) {
  const std::size_t count = asked.quick ? 12'800 : 51'200;
  return compare(
      {.name = "insert_sync_64_threads", .unit = "op/s", .reach = 0.8, .want = goal::at_least},
      asked.repetitions(),
      [&] {
        return raw_synced_rate(asked.directory + "/raw", std::span{recorded()}.first(count), 64);
      },
      [&] { return blocking_rate(asked, count, 64); });
}

} // namespace

std::vector<row> durable_rows() {
  return {{"insert_async", insert_async},
          insert_sync(1, 8'000, 0.7),
          insert_sync(8, 24'000, 0.9),
          insert_sync(64, 64'000, 1.3),
          {"insert_sync_64_threads", insert_sync_blocking}};
}

} // namespace holdfast::bench
