#include <holdfast/store/detail/asymmetric_fence.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <thread>

namespace holdfast::detail {

namespace {

constexpr std::uint32_t rounds = 20'000;

/// Two threads that begin each round at nearly the same moment.
class rendezvous {
public:
  void arrive(std::uint32_t round) noexcept {
    constexpr int looks_before_yield = 2000;
    arrived_.fetch_add(1);
    for (int i = 0; arrived_.load() < 2 * round; ++i)
      if (i > looks_before_yield)
        std::this_thread::yield();
  }

private:
  std::atomic<std::uint32_t> arrived_{0};
};

/// One of them learns of the other's arrival later: they meet at some of many small delays.
void delay(std::uint32_t turns) noexcept {
  for (std::uint32_t i = 0; i < turns; ++i)
    std::atomic_signal_fence(std::memory_order_seq_cst);
}

/// The litmus test "store buffering": each thread stores to its own variable and then loads the
/// other's. Without fences both may load the old value, because stores wait in the processor.
template <class Light, class Heavy>
std::uint32_t both_missed(Light&& light, Heavy&& heavy) {
  alignas(64) std::atomic<std::uint32_t> x{0};
  alignas(64) std::atomic<std::uint32_t> y{0};
  alignas(64) std::atomic<std::uint32_t> seen_by_light{0};
  rendezvous begin, end;
  std::uint32_t missed = 0;
  std::thread reader{[&] {
    for (std::uint32_t round = 1; round <= rounds; ++round) {
      begin.arrive(round);
      delay(round % 32 * 16);
      x.store(round, std::memory_order_relaxed);
      light();
      seen_by_light.store(y.load(std::memory_order_relaxed), std::memory_order_relaxed);
      end.arrive(round);
    }
  }};
  for (std::uint32_t round = 1; round <= rounds; ++round) {
    begin.arrive(round);
    delay(round / 32 % 32 * 16);
    y.store(round, std::memory_order_relaxed);
    heavy();
    const auto seen = x.load(std::memory_order_relaxed);
    end.arrive(round);
    missed += seen != round && seen_by_light.load(std::memory_order_relaxed) != round;
  }
  reader.join();
  return missed;
}

} // namespace

TEST(asymmetric_fence, lets_not_both_sides_miss_each_other) {
  if (!asymmetric_fence::offered())
    GTEST_SKIP() << "the system offers no membarrier";
  bool took_place = true;
  EXPECT_EQ(both_missed([] { asymmetric_fence::light(); },
                        [&] { took_place = asymmetric_fence::heavy() && took_place; }),
            0U);
  EXPECT_TRUE(took_place);
}

} // namespace holdfast::detail
