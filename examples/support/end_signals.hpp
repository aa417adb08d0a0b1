#pragma once

#include <chrono>
#include <csignal>
#include <ctime>

namespace examples {

/// SIGINT and SIGTERM, waited for by the thread that ends the service in order. Make it before any
/// thread exists, so that all of them leave these signals to `wait`.
class end_signals {
public:
  end_signals() noexcept {
    sigemptyset(&these_);
    sigaddset(&these_, SIGINT);
    sigaddset(&these_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &these_, nullptr);
  }

  /// Waits for one of them; true if it came within `time`.
  bool wait(std::chrono::milliseconds time) const noexcept {
    timespec limit{time.count() / 1000, time.count() % 1000 * 1'000'000};
    return sigtimedwait(&these_, nullptr, &limit) > 0;
  }

private:
  sigset_t these_;
};

} // namespace examples
