#include <holdfast/persistence/detail/head.hpp>

#include <holdfast/persistence/detail/fixed.hpp>

namespace holdfast::detail {
namespace {
constexpr std::string_view label = "head";
constexpr std::size_t key_size = journal_reserved.size() + label.size() + 8;
constexpr std::size_t value_size = 1 + 5 * 8;
} // namespace

std::string head_key(std::uint64_t generation) {
  std::string key{journal_reserved};
  key += label;
  key += big_endian(generation);
  return key;
}

void encode_head(const head& h, std::string& out) {
  out.clear();
  append_fixed(out, std::uint8_t{1});
  for (auto n : {h.epoch, h.first, h.last, h.chain_before, h.chain})
    append_fixed(out, n);
}

std::optional<head> decode_head(std::string_view key, std::string_view value) {
  if (key.size() != key_size || value.size() != value_size || value.front() != 1)
    return {};
  head h;
  key.remove_prefix(key_size - 8);
  h.generation = __builtin_bswap64(take_fixed<std::uint64_t>(key));
  value.remove_prefix(1);
  for (auto* n : {&h.epoch, &h.first, &h.last, &h.chain_before, &h.chain})
    *n = take_fixed<std::uint64_t>(value);
  return h;
}

result<void> joins(const head& before, const head& next, const std::string& name) {
  if (next.generation == before.generation + 1 && next.first == before.last + 1 &&
      next.chain_before == before.chain)
    return {};
  auto text = next.first > before.last + 1
                  ? "commits " + std::to_string(before.last + 1) + " to " +
                        std::to_string(next.first - 1) + " are missing in the middle"
                  : "generation " + std::to_string(next.generation) +
                        " does not continue generation " + std::to_string(before.generation);
  return fail(errc::corrupt, name + ": " + text, {}, loss{next.first - 1, before.last});
}

} // namespace holdfast::detail
