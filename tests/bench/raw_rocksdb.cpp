#include "raw_rocksdb.hpp"

#include "figure.hpp"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <filesystem>
#include <latch>
#include <stdexcept>
#include <thread>

namespace holdfast::bench {

namespace {

void check(const rocksdb::Status& status) {
  if (!status.ok())
    throw std::runtime_error{"raw rocksdb: " + status.ToString()};
}

} // namespace

struct raw_rocksdb::state {
  std::unique_ptr<rocksdb::DB> db;
};

raw_rocksdb::raw_rocksdb(const std::string& directory) : state_{std::make_unique<state>()} {
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* db = nullptr;
  check(rocksdb::DB::Open(options, directory, &db));
  state_->db.reset(db);
}

raw_rocksdb::~raw_rocksdb() = default;

void raw_rocksdb::write(std::span<const commit_bytes> commits, bool synced) {
  rocksdb::WriteBatch batch;
  for (auto& commit : commits)
    for (auto& put : commit.puts)
      check(batch.Put(put.key, put.value));
  rocksdb::WriteOptions options;
  options.sync = synced;
  check(state_->db->Write(options, &batch));
}

double raw_synced_rate(const std::string& directory, std::span<const commit_bytes> commits,
                       std::size_t threads) {
  raw_rocksdb db{directory};
  const auto share = commits.size() / threads;
  std::latch ready{static_cast<std::ptrdiff_t>(threads) + 1};
  std::vector<std::jthread> writers;
  for (std::size_t t = 0; t < threads; ++t)
    writers.emplace_back([&, mine = commits.subspan(t * share, share)] {
      ready.arrive_and_wait();
      for (auto& commit : mine)
        db.write({&commit, 1}, true);
    });
  ready.arrive_and_wait();
  return operations_per_second(share * threads, [&] { writers.clear(); });
}

double raw_unsynced_rate(const std::string& directory, std::span<const commit_bytes> commits,
                         std::size_t batch) {
  raw_rocksdb db{directory};
  return operations_per_second(commits.size(), [&] {
    for (std::size_t i = 0; i < commits.size(); i += batch)
      db.write(commits.subspan(i, std::min(batch, commits.size() - i)), false);
  });
}

} // namespace holdfast::bench
