#include <holdfast/persistence/detail/mark.hpp>

#include <holdfast/persistence/detail/fixed.hpp>

namespace holdfast::detail {
namespace {
constexpr std::string_view magic = "holdfast";
} // namespace

std::string encode_mark_header(std::uint32_t version) {
  std::string out{magic};
  append_fixed(out, version);
  append_fixed(out, crc32c(out));
  return out;
}

std::string encode_mark_slot(const mark& m) {
  std::string out;
  for (auto n : {m.turn, m.epoch, m.durable, m.written, m.chain, m.boot})
    append_fixed(out, n);
  append_fixed(out, std::uint32_t{m.clean});
  append_fixed(out, crc32c(out));
  return out;
}

std::optional<mark> decode_mark_slot(std::string_view bytes) {
  if (bytes.size() < mark_slot_bytes)
    return {};
  auto sum = bytes.substr(mark_slot_bytes - 4, 4);
  if (take_fixed<std::uint32_t>(sum) != crc32c(bytes.substr(0, mark_slot_bytes - 4)))
    return {};
  mark m;
  for (auto* n : {&m.turn, &m.epoch, &m.durable, &m.written, &m.chain, &m.boot})
    *n = take_fixed<std::uint64_t>(bytes);
  m.clean = take_fixed<std::uint32_t>(bytes) != 0;
  return m;
}

result<mark> decode_mark(std::string_view file, const std::string& path) {
  auto corrupt = [&](const std::string& what) { return fail(errc::corrupt, path + ": " + what); };
  if (file.size() < 16)
    return corrupt("length " + std::to_string(file.size()) + " is below the header's 16 bytes");
  auto rest = file.substr(magic.size());
  auto version = take_fixed<std::uint32_t>(rest);
  auto sum = take_fixed<std::uint32_t>(rest);
  if (!file.starts_with(magic) || sum != crc32c(file.substr(0, 12)))
    return corrupt("the header's checksum does not match");
  if (version > journal_format)
    return fail(errc::newer_format, path + ": format " + std::to_string(version) +
                                        " is newer than " + std::to_string(journal_format) +
                                        ", the newest that this version reads");
  if (version == 0)
    return corrupt("format 0 does not exist");
  if (file.size() != mark_size)
    return corrupt("length is " + std::to_string(file.size()) + ", expected " +
                   std::to_string(mark_size));
  auto a = decode_mark_slot(file.substr(mark_page, mark_slot_bytes));
  auto b = decode_mark_slot(file.substr(2 * mark_page, mark_slot_bytes));
  if (!a && !b)
    return corrupt("both slots' checksums do not match");
  return !b || (a && a->turn > b->turn) ? *a : *b;
}

} // namespace holdfast::detail
