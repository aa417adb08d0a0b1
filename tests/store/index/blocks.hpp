#pragma once

#include <holdfast/store/detail/bucket_data.hpp>
#include <holdfast/store/detail/read_view.hpp>

#include <compare>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace holdfast::testing {

/// A value of a test record: null, an integer, a real or a text.
using cell = std::variant<std::monostate, std::int64_t, double, std::string>;
using cells = std::vector<cell>;

inline detail::key_view view_of(const cell& c) {
  if (const auto* i = std::get_if<std::int64_t>(&c))
    return detail::key_view(*i);
  if (const auto* d = std::get_if<double>(&c))
    return detail::key_view(*d);
  if (const auto* s = std::get_if<std::string>(&c))
    return detail::key_view(std::string_view(*s));
  return {};
}

/// The deadline of a test record: of those that have an integer.
inline std::int64_t deadline_of(const cell& integer) {
  const auto* i = std::get_if<std::int64_t>(&integer);
  return i == nullptr || *i == 0 ? 0 : *i;
}

/// A block as the bucket gets it: one slot per cell, the key in the first.
inline detail::record_block* make_block(detail::pool& memory, const cells& values) {
  using detail::key_view, detail::never, detail::record_block, detail::slot, detail::slot_tag;
  std::size_t tail = 0;
  for (const cell& c : values)
    if (const auto* s = std::get_if<std::string>(&c); s != nullptr && s->size() > 14)
      tail += s->size();
  const std::size_t bytes = sizeof(record_block) + values.size() * sizeof(slot) + tail;
  auto* b = static_cast<record_block*>(memory.allocate(bytes));
  new (b) record_block{};
  b->refs = 1;
  b->bytes = static_cast<std::uint32_t>(bytes);
  b->birth = never;
  b->death = never;
  b->slot_count = static_cast<std::uint32_t>(values.size());
  std::uint64_t offset = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    slot& to = *new (b->slots() + i) slot{};
    const key_view v = view_of(values[i]);
    to.tag = v.tag;
    if (v.tag == slot_tag::real)
      to.real = v.real;
    else
      to.integer = v.integer;
    if (v.tag != slot_tag::text)
      continue;
    if (v.text.size() <= 14) {
      to.tag = slot_tag::short_text;
      to.size8 = static_cast<std::uint8_t>(v.text.size());
      std::memcpy(to.text(), v.text.data(), v.text.size());
    } else {
      to.size = static_cast<std::uint32_t>(v.text.size());
      to.offset = offset;
      std::memcpy(b->tail() + offset, v.text.data(), v.text.size());
      offset += v.text.size();
    }
  }
  b->hash = detail::hash_of(*b, 0);
  b->expires_at = values.size() > 3 ? deadline_of(values[3]) : 0;
  return b;
}

inline cells cells_of(const detail::record_block& b) {
  cells out;
  for (std::uint32_t i = 0; i < b.slot_count; ++i) {
    const auto v = detail::key_view::of(b, i);
    switch (v.tag) {
    case detail::slot_tag::null:
      out.emplace_back();
      break;
    case detail::slot_tag::real:
      out.emplace_back(v.real);
      break;
    case detail::slot_tag::text:
      out.emplace_back(std::string(v.text));
      break;
    default:
      out.emplace_back(v.integer);
    }
  }
  return out;
}

/// What a test handle is: a counted reference to a block.
class handle {
public:
  handle() = default;
  explicit handle(detail::record_block* b) : block_(b) {}
  handle(handle&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  handle& operator=(handle&& other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~handle() {
    if (block_ != nullptr && block_->refs.fetch_sub(1, std::memory_order_acq_rel) == 1)
      detail::pool::free_remote(block_, block_->bytes);
  }
  explicit operator bool() const { return block_ != nullptr; }
  const detail::record_block& operator*() const { return *block_; }
  const detail::record_block* operator->() const { return block_; }

private:
  detail::record_block* block_ = nullptr;
};

} // namespace holdfast::testing
