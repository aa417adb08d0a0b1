#include <holdfast/runtime/clock.hpp>

namespace holdfast {
namespace {

class machine_clock final : public clock {
public:
  timestamp now() const noexcept override {
    return std::chrono::time_point_cast<std::chrono::microseconds>(
        std::chrono::system_clock::now());
  }
  std::chrono::nanoseconds steady() const noexcept override {
    return std::chrono::steady_clock::now().time_since_epoch();
  }
};

} // namespace

clock& system_clock() noexcept {
  static machine_clock instance;
  return instance;
}

} // namespace holdfast
