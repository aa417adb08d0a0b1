// Which keys a store leaves on the disk: what an older version wrote must be found by a newer one.
#include <holdfast/persistence/detail/head.hpp>
#include <holdfast/persistence/rocksdb.hpp>
#include <holdfast/store/codec.hpp>
#include <holdfast/store/detail/journal_keys.hpp>
#include <holdfast/store/store.hpp>

#include <tests/support/directory_image.hpp>
#include <tests/support/disk/raw_database.hpp>
#include <tests/support/temporary_directory.hpp>

#include <gmock/gmock.h>

namespace holdfast::testing {
namespace {

store start_store(const std::string& directory) {
  store_options options;
  options.journal = rocksdb({.directory = directory});
  return store::start(std::move(options)).value();
}

/// One store with an entry of each kind: both kinds of keys, negative and empty ones among them, a
/// counter, a bucket that is gone, one that was never on disk, and two openings.
void write_small_store(const std::string& directory) {
  {
    auto db = start_store(directory);
    auto people = db.define(schema("people").key("name", string()).field("age", integer())).value();
    ASSERT_TRUE(db.define(schema("gone").key("id", integer())));
    auto numbers = db.define(schema("numbers").key("n", integer())).value();
    auto orders = db.define(schema("orders").key("no", integer().generated(autoincrement))).value();
    auto passing = db.define(schema("passing").key("n", integer()).persistent(false)).value();
    for (auto* name : {"", "ada", "z\xc3\xbc"})
      ASSERT_TRUE(people.insert({{"name", name}}).get());
    ASSERT_TRUE(people.insert({{"name", "erased"}}).get());
    ASSERT_TRUE(people.erase("erased").get());
    for (std::int64_t n : {INT64_MIN, std::int64_t{-1}, std::int64_t{0}, INT64_MAX})
      ASSERT_TRUE(numbers.insert({{"n", n}}).get());
    ASSERT_TRUE(passing.insert({{"n", 1}}).get());
    ASSERT_TRUE(orders.insert({}).get());
    ASSERT_TRUE(orders.insert({}).get());
    ASSERT_TRUE(orders.erase(2).get());
    ASSERT_TRUE(db.drop("gone"));
    ASSERT_TRUE(db.stop());
  }
  auto db = start_store(directory);
  auto people = db.bucket("people").value();
  ASSERT_TRUE(people.update("ada", {{"age", 36}}).get());
  ASSERT_TRUE(db.stop());
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (unsigned char c : bytes)
    for (auto digit : {c >> 4, c & 15})
      out.push_back("0123456789abcdef"[digit]);
  return out;
}

/// Reads entries as what their keys say they are: a value under another's key is seen by that.
class reader_of_entries {
public:
  std::string what(const raw_entry& e) {
    if (e.key.starts_with(journal_reserved)) {
      auto h = detail::decode_head(e.key, e.content);
      return h ? "the head of generation " + std::to_string(h->generation) + ": commits " +
                     std::to_string(h->first) + " to " + std::to_string(h->last)
               : "reserved, and not a head";
    }
    if (e.key == detail::format_key)
      return "format " + number(e.content, 0, 4) + ", next bucket " + number(e.content, 4, 4);
    if (e.key.size() < 5)
      return "unknown";
    switch (auto id = number(e.key, 1, 4); e.key.front()) {
    case 'c':
      return "the schema of bucket " + id + ": " + schema_of(id, e.content);
    case 'n':
      return "the counter of bucket " + id + ": " + number(e.content, 0, 8);
    case 'r':
      return "the rows of bucket " + id + " not to be given again: " + number(e.content, 0, 8);
    case 's':
      return "a record of bucket " + id + ": " + record_of(id, e.content);
    default:
      return "unknown";
    }
  }

private:
  static std::string number(std::string_view bytes, std::size_t at, std::size_t size) {
    if (bytes.size() < at + size)
      return "cut short";
    return std::to_string(detail::read_big_endian(bytes.substr(at, size)));
  }
  std::string schema_of(const std::string& id, std::string_view bytes) {
    auto definition = codec::decode_schema(bytes);
    if (!definition)
      return definition.error().to_string();
    schemas_[id] = compile(*definition).value();
    return definition->name();
  }
  std::string record_of(const std::string& id, std::string_view bytes) const {
    auto s = schemas_.find(id);
    if (s == schemas_.end())
      return "of no schema";
    codec::record_decoder decoder(s->second->layout());
    auto size = decoder.parse(bytes);
    if (!size)
      return size.error().to_string();
    std::unique_ptr<void, void (*)(void*)> memory(std::malloc(*size), std::free);
    auto* block = decoder.build(memory.get());
    return "key " + record::share(block).key().to_string() + ", version " +
           std::to_string(block->version);
  }

  std::map<std::string, std::shared_ptr<const compiled_schema>> schemas_;
};

/// A difference means that stores written by an older version read wrongly: raise `key_format`
/// and let the newer version read both, rather than change the file. Other keys may be added that
/// an older version does not look for, if what it does without them is right; so were the rows.
TEST(the_keys_on_disk, are_those_of_format_one) {
  temporary_directory place{temporary_directory::in_memory};
  write_small_store(place / "data");
  reader_of_entries reader;
  std::string found = "# column, key in hex, what it is\n";
  for (auto& e : raw_entries(place / "data"))
    found += e.column + " " + hex(e.key) + " " + reader.what(e) + "\n";
  EXPECT_EQ(found, read_bytes(std::filesystem::path{HOLDFAST_GOLDEN_DIR} / "keys-1.txt"));
}

} // namespace
} // namespace holdfast::testing
