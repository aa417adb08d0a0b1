#include <holdfast/store/detail/generate.hpp>

#include <array>
#include <atomic>
#include <bit>
#include <cstring>
#include <limits>
#include <random>

#include <pthread.h>

namespace holdfast::detail {

namespace {

/// How many forks lie between the first process and this one, plus one.
std::atomic<std::uint32_t> process_generation{1};

/// xoshiro256++ by Blackman and Vigna.
class engine {
public:
  std::uint64_t next() noexcept {
    auto out = std::rotl(state_[0] + state_[3], 23) + state_[0];
    auto shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return out;
  }
  bool stale(std::uint32_t generation) const noexcept { return generation_ != generation; }
  void seed(std::uint32_t generation) {
    std::random_device device;
    for (auto& word : state_)
      word = std::uint64_t{device()} << 32 | device();
    state_[0] |= 1; // all zero is the one state that never changes
    generation_ = generation;
  }

private:
  std::uint64_t state_[4] = {};
  std::uint32_t generation_ = 0;
};

class thread_random final : public random_source {
public:
  thread_random() {
    pthread_atfork(nullptr, nullptr, [] { process_generation.fetch_add(1); });
  }
  std::uint64_t next() noexcept override {
    static thread_local engine mine;
    auto generation = process_generation.load(std::memory_order_relaxed);
    if (mine.stale(generation))
      mine.seed(generation);
    return mine.next();
  }
};

/// The two digits of every byte.
constexpr auto hex_pairs = [] {
  std::array<char, 512> table{};
  constexpr char symbols[] = "0123456789abcdef";
  for (std::size_t i = 0; i < 256; ++i) {
    table[2 * i] = symbols[i >> 4];
    table[2 * i + 1] = symbols[i & 15];
  }
  return table;
}();

/// Writes the `bytes` lowest bytes of `word`, the highest first.
char* write_hex(char* out, std::uint64_t word, unsigned bytes) noexcept {
  for (unsigned i = bytes; i-- > 0; out += 2)
    std::memcpy(out, &hex_pairs[2 * ((word >> (8 * i)) & 0xff)], 2);
  return out;
}

} // namespace

random_source& identifier_random() noexcept {
  static thread_random instance;
  return instance;
}

bool generator::next(std::int64_t& number) noexcept {
  if (proposed_ == std::numeric_limits<std::int64_t>::max())
    return false;
  number = ++proposed_;
  return true;
}

void generator::write_uuid(char* out) noexcept {
  auto high = (random_->next() & ~std::uint64_t{0xf000}) | 0x4000;
  auto low = (random_->next() >> 2) | (std::uint64_t{1} << 63);
  out = write_hex(out, high >> 32, 4);
  *out++ = '-';
  out = write_hex(out, high >> 16, 2);
  *out++ = '-';
  out = write_hex(out, high, 2);
  *out++ = '-';
  out = write_hex(out, low >> 48, 2);
  *out++ = '-';
  write_hex(out, low, 6);
}

void generator::write_cuid(char* out, std::int64_t now_ms) noexcept {
  *out++ = 'c';
  out = write_hex(out, static_cast<std::uint64_t>(now_ms), 6);
  out = write_hex(out, random_->next(), 8);
  write_hex(out, random_->next(), 2);
}

} // namespace holdfast::detail
