#include <holdfast/runtime/detail/waiting_jobs.hpp>

#include <thread>

namespace holdfast::detail {

ref<job> waiting_jobs::take() noexcept {
  for (std::size_t i = 0; i < places; ++i) {
    auto& place = jobs_[(next_ + i) % places];
    if (!place.load(std::memory_order_relaxed))
      continue;
    auto* found = place.exchange(nullptr, std::memory_order_acq_rel);
    if (!found)
      continue;
    shown_.fetch_sub(1, std::memory_order_relaxed);
    next_ = static_cast<std::uint32_t>((next_ + i + 1) % places);
    return ref<job>{found}; // its caller looks on until it has begun, so it is still there
  }
  return {};
}

waiting_jobs::shown::shown(waiting_jobs& at, job& work) noexcept : at_{at}, work_{work} {
  for (auto& place : at_.jobs_) {
    job* expected = nullptr;
    if (place.load(std::memory_order_relaxed) ||
        !place.compare_exchange_strong(expected, &work_, std::memory_order_acq_rel))
      continue;
    at_.shown_.fetch_add(1, std::memory_order_relaxed);
    place_ = &place;
    return;
  }
}

waiting_jobs::shown::~shown() {
  if (!place_)
    return;
  auto* expected = &work_;
  if (place_->compare_exchange_strong(expected, nullptr, std::memory_order_acq_rel)) {
    at_.shown_.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  while (work_.waits()) // between `take` and the begin of the job
    std::this_thread::yield();
}

} // namespace holdfast::detail
