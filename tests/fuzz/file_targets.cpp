// What reads the files of a data directory that RocksDB does not vouch for.
#include "fuzz_target.hpp"

#ifdef HOLDFAST_FUZZ_FILES
#include <holdfast/persistence/detail/head.hpp>
#include <holdfast/persistence/detail/mark.hpp>

namespace holdfast::testing {

namespace {

constexpr std::size_t head_key_bytes = 13;

/// The pages are mostly zeros, which would hide what is changed: the input is what stands in them.
void run_mark(std::string_view bytes) {
  std::string file(detail::mark_size, '\0');
  constexpr std::size_t header = 16;
  const std::size_t starts[] = {0, detail::mark_page, 2 * detail::mark_page};
  const std::size_t lengths[] = {header, detail::mark_slot_bytes, detail::mark_slot_bytes};
  for (std::size_t i = 0; i < 3; ++i) {
    const auto part = bytes.substr(0, lengths[i]);
    file.replace(starts[i], part.size(), part);
    bytes.remove_prefix(part.size());
  }
  if (!bytes.empty())
    file.resize(file.size() - std::min(file.size(), bytes.size())); // a file cut short
  const auto found = detail::decode_mark(file, "MARK");
  if (!found)
    return;
  const auto again = detail::decode_mark_slot(detail::encode_mark_slot(*found));
  hold(again && *again == *found, "a mark became another one");
}

void run_head(std::string_view bytes) {
  const auto key = bytes.substr(0, head_key_bytes);
  const auto found = detail::decode_head(key, bytes.substr(key.size()));
  if (!found)
    return;
  std::string value;
  detail::encode_head(*found, value);
  const auto again = detail::decode_head(detail::head_key(found->generation), value);
  hold(again && *again == *found, "a head became another one");
}

std::vector<std::string> marks() {
  detail::mark m;
  m.turn = 7;
  m.epoch = 3;
  m.durable = 41;
  m.written = 42;
  auto older = m;
  older.turn = 6;
  return {detail::encode_mark_header().substr(0, 16) +
          detail::encode_mark_slot(m).substr(0, detail::mark_slot_bytes) +
          detail::encode_mark_slot(older).substr(0, detail::mark_slot_bytes)};
}
std::vector<std::string> heads() {
  std::string value;
  detail::encode_head({.generation = 2, .epoch = 1, .first = 5, .last = 9}, value);
  return {detail::head_key(2) + value};
}

constexpr fuzz_target all_file_targets[] = {{"mark", run_mark, marks}, {"head", run_head, heads}};

} // namespace

std::span<const fuzz_target> file_targets() { return all_file_targets; }

} // namespace holdfast::testing
#else
std::span<const holdfast::testing::fuzz_target> holdfast::testing::file_targets() { return {}; }
#endif
