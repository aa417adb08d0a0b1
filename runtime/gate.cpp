#include <holdfast/runtime/gate.hpp>

#include <chrono>
#include <thread>

namespace holdfast {

void gate::close() noexcept {
  closed_.store(true, std::memory_order_seq_cst);
  // A rare, short wait at shutdown: callers leave within one operation or their deadline.
  auto pause = std::chrono::microseconds{1};
  for (auto& c : cells_)
    while (c.inside.load(std::memory_order_seq_cst) != 0) {
      std::this_thread::sleep_for(pause);
      if (pause < std::chrono::milliseconds{1})
        pause *= 2;
    }
}

bool gate::grace_period::over(const gate& of) noexcept {
  for (std::size_t i = 0; i < cells; ++i)
    if (of.cells_[i].inside.load(std::memory_order_seq_cst) == 0)
      seen_empty_ |= std::uint64_t{1} << i;
  return seen_empty_ == ~std::uint64_t{0};
}

} // namespace holdfast
