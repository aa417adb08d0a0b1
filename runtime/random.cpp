#include <holdfast/runtime/random.hpp>

#include <random>

namespace holdfast {
namespace {

constexpr std::uint64_t golden_ratio = 0x9E3779B97F4A7C15ULL;

std::uint64_t mix(std::uint64_t z) noexcept {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

std::uint64_t seed_of_this_thread() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

class machine_random final : public random_source {
public:
  std::uint64_t next() noexcept override {
    thread_local std::mt19937_64 engine{seed_of_this_thread()};
    return engine();
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
