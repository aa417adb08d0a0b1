// A store on disk, restored once, from the install tree's headers and libraries alone.
#include <holdfast/persistence/rocksdb.hpp>
#include <holdfast/store/store.hpp>

using namespace holdfast;

namespace {

/// How many records are there after one more was inserted; 0 if anything failed.
std::uint64_t insert_one() {
  auto db = store::start({.journal = rocksdb({.directory = "everything.data"})});
  if (!db)
    return 0;
  auto numbers = db->define(schema("numbers").key("n", integer().generated(autoincrement)));
  if (!numbers || !numbers->insert({}).get())
    return 0;
  auto count = numbers->count().get();
  return count && db->stop() ? *count : 0;
}

} // namespace

int main() { return insert_one() == 1 && insert_one() == 2 ? 0 : 1; }
