#pragma once

#include <tests/support/disk/disk_state.hpp>

#include <memory>

namespace rocksdb {
class FileSystem;
} // namespace rocksdb

namespace holdfast::testing {

/// The real files, of which the disk learns all that changes them, and which fail when it says so.
std::shared_ptr<::rocksdb::FileSystem> files_on(std::shared_ptr<disk_state> disk);

} // namespace holdfast::testing
