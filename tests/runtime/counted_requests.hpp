#pragma once

#include <holdfast/runtime/address.hpp>
#include <holdfast/runtime/pending.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <utility>

namespace holdfast::testing {

/// What became of requests, over all threads. Outlives them.
struct request_tally {
  std::atomic<std::uint64_t> ran{0}, refused{0}, answered_once{0}, answered_otherwise{0};
  std::atomic<bool> over{false};      ///< from here on nothing may run
  std::atomic<std::uint64_t> late{0}; ///< ran all the same

  std::uint64_t requests() const noexcept { return answered_once + answered_otherwise; }
};

/// A request that counts its own answers.
class counted_request final : public operation<int> {
public:
  counted_request(ref<address> to, request_tally& tally)
      : operation<int>{to->owner()}, to_{std::move(to)}, tally_{tally} {}
  ~counted_request() override {
    ++(answers_ == 1 ? tally_.answered_once : tally_.answered_otherwise);
  }

  void start() override { to_->submit(ref<job>{this}); }
  void run() override {
    ++answers_;
    ++tally_.ran;
    tally_.late += tally_.over;
    complete(1);
  }
  void reject(error why) noexcept override {
    ++answers_;
    ++tally_.refused;
    complete(fail(std::move(why)));
  }

private:
  ref<address> to_;
  request_tally& tally_;
  std::atomic<int> answers_{0};
};

/// Asks once. Waits longer than any answer takes, so that one that is missing shows as `timeout`.
inline result<int> ask_counted(const ref<address>& to, request_tally& tally) {
  return pending<int>{ref<operation<int>>{make_ref<counted_request>(to, tally)}}.get(
      std::chrono::minutes{1});
}

} // namespace holdfast::testing
