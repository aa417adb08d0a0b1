#include <tests/support/disk/raw_database.hpp>

#include <rocksdb/db.h>
#include <rocksdb/wal_filter.h>

#include <gtest/gtest.h>

#include <memory>

namespace holdfast::testing {
namespace {

/// Counts what RocksDB finds to replay.
class replay_counter final : public ::rocksdb::WalFilter {
public:
  const char* Name() const override { return "replay_counter"; }
  WalProcessingOption LogRecordFound(unsigned long long, const std::string&,
                                     const ::rocksdb::WriteBatch&, ::rocksdb::WriteBatch*,
                                     bool*) override {
    ++records;
    return WalProcessingOption::kContinueProcessing;
  }
  std::size_t records = 0;
};

} // namespace

std::vector<raw_entry> raw_entries(const std::string& directory) {
  std::vector<std::string> columns;
  EXPECT_TRUE(::rocksdb::DB::ListColumnFamilies({}, directory, &columns).ok());
  std::vector<::rocksdb::ColumnFamilyDescriptor> wanted;
  for (auto& name : columns)
    wanted.emplace_back(name, ::rocksdb::ColumnFamilyOptions{});
  std::vector<::rocksdb::ColumnFamilyHandle*> handles;
  ::rocksdb::DB* raw = nullptr;
  auto s = ::rocksdb::DB::OpenForReadOnly({}, directory, wanted, &handles, &raw);
  EXPECT_TRUE(s.ok()) << s.ToString();
  std::unique_ptr<::rocksdb::DB> db(raw);
  std::vector<raw_entry> all;
  for (auto* column : handles) {
    std::unique_ptr<::rocksdb::Iterator> at(db->NewIterator({}, column));
    for (at->SeekToFirst(); at->Valid(); at->Next())
      all.push_back({column->GetName(), at->key().ToString(), at->value().ToString()});
    EXPECT_TRUE(at->status().ok());
  }
  for (auto* column : handles)
    EXPECT_TRUE(db->DestroyColumnFamilyHandle(column).ok());
  return all;
}

std::size_t records_to_replay(const std::string& directory) {
  replay_counter counter;
  ::rocksdb::Options options;
  options.wal_filter = &counter;
  ::rocksdb::DB* raw = nullptr;
  auto s = ::rocksdb::DB::OpenForReadOnly(options, directory, &raw);
  EXPECT_TRUE(s.ok()) << s.ToString();
  delete raw;
  return counter.records;
}

} // namespace holdfast::testing
