#pragma once

#include <holdfast/store/detail/validation.hpp>
#include <holdfast/store/record.hpp>

#include <cstdlib>
#include <memory>
#include <utility>

namespace holdfast::testing {

/// A block in memory of its own, freed by itself, whatever handles did meanwhile.
class owned_block {
public:
  explicit owned_block(std::size_t bytes) : memory_(std::malloc(bytes)) {}
  owned_block(owned_block&& other) noexcept : memory_(std::exchange(other.memory_, nullptr)) {}
  owned_block& operator=(owned_block&& other) noexcept {
    std::swap(memory_, other.memory_);
    return *this;
  }
  ~owned_block() { std::free(memory_); }

  void* memory() const { return memory_; }
  detail::record_block* get() const { return static_cast<detail::record_block*>(memory_); }
  detail::record_block& operator*() const { return *get(); }
  detail::record_block* operator->() const { return get(); }
  /// A handle; the block keeps one reference of its own, so that no handle releases it.
  record handle() const { return record::share(get()); }

private:
  void* memory_;
};

inline constexpr timestamp noon{std::chrono::seconds{1'700'000'000}};

inline std::shared_ptr<const compiled_schema> compiled(const schema& definition) {
  return compile(definition).value();
}

/// An insert as the bucket does it, or the error it ends with.
inline result<owned_block> inserted(draft& input, detail::generator& from, timestamp now = noon) {
  if (auto fault = detail::complete(input, from, now))
    return fail(*fault);
  if (auto fault = detail::check_insert(input))
    return fail(*fault);
  owned_block made(detail::block_size(input));
  detail::build(made.memory(), input, now);
  from.accept();
  return made;
}

inline result<owned_block> inserted(const compiled_schema& schema,
                                    std::initializer_list<field_input> fields) {
  detail::generator from;
  draft input(schema, fields);
  return inserted(input, from);
}

/// An update as the bucket does it.
inline result<owned_block> updated(const detail::record_block& old, draft changes,
                                   timestamp now = noon) {
  if (auto fault = detail::check_update(old, changes))
    return fail(*fault);
  auto plan = detail::plan_update(old, changes);
  owned_block made(plan.bytes);
  detail::build_update(made.memory(), old, changes, plan, now);
  return made;
}

} // namespace holdfast::testing
