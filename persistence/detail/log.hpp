#pragma once

#include <memory>
#include <string>

namespace rocksdb {
class Logger;
} // namespace rocksdb

namespace holdfast::detail {

/// Where RocksDB writes its warnings: to LOG in `directory`, from the first one on. Past 1 MiB
/// that becomes LOG.old. A line that cannot be written, on a full disk, is dropped and harms
/// nothing: RocksDB's own logger may then end the process. Thread-safe.
std::shared_ptr<::rocksdb::Logger> log_of(const std::string& directory);

} // namespace holdfast::detail
