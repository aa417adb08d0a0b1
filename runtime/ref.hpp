#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace holdfast {

/// Base of objects that count their owners themselves. Born with no owner.
class ref_counted {
public:
  ref_counted() noexcept = default;
  ref_counted(const ref_counted&) = delete;
  ref_counted& operator=(const ref_counted&) = delete;

  void add_ref() const noexcept { refs_.fetch_add(1, std::memory_order_relaxed); }
  void release() const noexcept {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      delete this;
  }

protected:
  virtual ~ref_counted() = default;

private:
  mutable std::atomic<std::uint32_t> refs_{0};
};

/// Shares ownership of a `ref_counted` object; one pointer wide.
template <class T>
class ref {
public:
  ref() noexcept = default;
  ref(T* p) noexcept : p_{p} {
    if (p_)
      p_->add_ref();
  }
  ref(const ref& other) noexcept : ref{other.p_} {}
  ref(ref&& other) noexcept : p_{std::exchange(other.p_, nullptr)} {}
  template <class U>
  ref(const ref<U>& other) noexcept : ref{other.get()} {}
  ref& operator=(ref other) noexcept {
    std::swap(p_, other.p_);
    return *this;
  }
  ~ref() {
    if (p_)
      p_->release();
  }

  T* get() const noexcept { return p_; }
  T* operator->() const noexcept { return p_; }
  T& operator*() const noexcept { return *p_; }
  explicit operator bool() const noexcept { return p_ != nullptr; }
  friend bool operator==(const ref& a, const ref& b) noexcept { return a.p_ == b.p_; }

private:
  T* p_ = nullptr;
};

template <class T, class... Args>
ref<T> make_ref(Args&&... args) {
  return ref<T>{new T(std::forward<Args>(args)...)};
}

} // namespace holdfast
