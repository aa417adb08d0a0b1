#include <holdfast/store/detail/journal_chain.hpp>

#include <bit>
#include <cstring>

namespace holdfast::detail {
namespace {

static_assert(std::endian::native == std::endian::little, "the chain reads words as they lie");

__extension__ using wide = unsigned __int128;

// Multiplies into 128 bits and folds: every input bit reaches every output bit in two rounds.
std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  auto product = static_cast<wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

constexpr std::uint64_t odd_1 = 0xa0761d6478bd642f;
constexpr std::uint64_t odd_2 = 0xe7037ed1a0b428db;

std::uint64_t extend(std::uint64_t h, std::string_view bytes) noexcept {
  h = mix(h ^ odd_1, bytes.size() ^ odd_2);
  auto* p = bytes.data();
  auto left = bytes.size();
  std::uint64_t word[2];
  for (; left >= 16; p += 16, left -= 16) {
    std::memcpy(word, p, 16);
    h = mix(word[0] ^ odd_1 ^ h, word[1] ^ odd_2);
  }
  word[0] = word[1] = 0;
  if (left > 0)
    std::memcpy(word, p, left);
  return mix(word[0] ^ odd_1 ^ h, word[1] ^ odd_2);
}

bool reserved(std::string_view key) noexcept { return key.starts_with(journal_reserved); }

} // namespace

std::uint64_t extend_chain(std::uint64_t chain, const journal_batch& batch) noexcept {
  auto h = mix(chain ^ batch.first ^ odd_1, batch.last ^ odd_2);
  for (auto& put : batch.puts) {
    h ^= static_cast<std::uint64_t>(put.what);
    h = extend(extend(h, put.key),
               put.what == journal_put::kind::erase ? std::string_view{} : put.value);
  }
  return h;
}

result<void> check_batch(const journal_batch& batch, sequence last, std::string_view name) {
  auto refuse = [&](const std::string& text) {
    return fail(errc::invalid_argument, std::string{name} + ": " + text);
  };
  if (batch.first != last + 1)
    return refuse("batch starts at " + std::to_string(batch.first) + ", expected " +
                  std::to_string(last + 1));
  if (batch.last < batch.first)
    return refuse("batch ends at " + std::to_string(batch.last) + ", before its start " +
                  std::to_string(batch.first));
  for (auto& put : batch.puts)
    if (reserved(put.key) || (put.what == journal_put::kind::erase_range && reserved(put.value)))
      return refuse("key begins with eight bytes 0xff, which are reserved");
  return {};
}

} // namespace holdfast::detail
