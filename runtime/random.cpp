#include <holdfast/runtime/random.hpp>

#include <atomic>
#include <bit>
#include <random>

#include <pthread.h>

namespace holdfast {
namespace {

constexpr std::uint64_t golden_ratio = 0x9E3779B97F4A7C15ULL;

std::uint64_t mix(std::uint64_t z) noexcept {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

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

class machine_random final : public random_source {
public:
  machine_random() {
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

} // namespace

double random_source::fraction() noexcept { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

std::uint64_t random_source::below(std::uint64_t bound) noexcept {
  return bound == 0 ? 0 : next() % bound;
}

random_source& system_random() noexcept {
  static machine_random instance;
  return instance;
}

std::uint64_t seeded_random::next() noexcept {
  return mix(state_.fetch_add(golden_ratio, std::memory_order_relaxed) + golden_ratio);
}

} // namespace holdfast
