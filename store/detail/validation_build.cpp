#include <holdfast/store/detail/validation_build.hpp>

#include <holdfast/store/detail/index_key.hpp>
#include <holdfast/store/detail/validation.hpp>

#include <algorithm>
#include <cstring>
#include <new>
#include <vector>

namespace holdfast::detail {

record_block* begin_block(void* memory, std::size_t bytes, std::size_t slots,
                          const record_layout& layout) noexcept {
  auto* block = ::new (memory) record_block;
  block->refs.store(1, std::memory_order_relaxed);
  block->bytes = static_cast<std::uint32_t>(bytes);
  block->birth.store(never, std::memory_order_relaxed);
  block->death.store(never, std::memory_order_relaxed);
  block->prev.store(nullptr, std::memory_order_relaxed);
  block->layout = &layout;
  block->slot_count = static_cast<std::uint32_t>(slots);
  return block;
}

record_block* copy_block(void* memory, const record_block& from) noexcept {
  auto* block = begin_block(memory, from.bytes, from.slot_count, *from.layout);
  block->created_at = from.created_at;
  block->updated_at = from.updated_at;
  block->expires_at = from.expires_at;
  block->row = from.row;
  block->hash = from.hash;
  block->version = from.version;
  std::memcpy(block->slots(), from.slots(), from.bytes - sizeof(record_block));
  return block;
}

void put_extra(record_block& block, std::size_t tail_used, std::size_t size) noexcept {
  auto& s = block.slots()[block.slot_count - 1];
  s = {};
  s.tag = slot_tag::object;
  s.size = static_cast<std::uint32_t>(size);
  s.offset = tail_used;
}

namespace {

std::int64_t microseconds(timestamp t) noexcept { return t.time_since_epoch().count(); }

/// The encoded size of the object outside the schema, whose head `draft::extra` does not hold in
/// full.
std::size_t extra_size(const draft& d) noexcept {
  return d.extra_count() == 0 ? 0 : 5 + d.extra().size();
}

bool in_tail(const slot& s) noexcept { return s.tag >= slot_tag::text; }

/// The slot an update leaves behind, and the tail its bytes are in.
struct source {
  const slot* from;
  const char* tail;
};

source source_of(const record_block& old, const draft& changes, std::size_t i) noexcept {
  if (changes.given(i))
    return {&changes.slots()[i], changes.tail()};
  return {&old.slots()[i], old.tail()};
}

} // namespace

std::size_t block_size(const draft& input) noexcept {
  auto slots = input.schema().layout().size() + (input.extra_count() != 0);
  return sizeof(record_block) + slots * sizeof(slot) + input.tail_size() + extra_size(input);
}

record_block* build(void* memory, const draft& input, timestamp now,
                    std::int64_t expires_at) noexcept {
  auto& layout = input.schema().layout();
  auto slots = layout.size() + (input.extra_count() != 0);
  auto* block = begin_block(memory, block_size(input), slots, layout);
  block->created_at = block->updated_at = microseconds(now);
  block->expires_at = expires_at;
  block->row = 0;
  block->version = 1;
  std::memcpy(block->slots(), input.slots(), layout.size() * sizeof(slot));
  std::memcpy(block->tail(), input.tail(), input.tail_size());
  if (input.extra_count() != 0) {
    put_extra(*block, input.tail_size(), extra_size(input));
    encode_value(input.extra_members(), block->tail() + input.tail_size());
  }
  block->hash = hash_of(*block, static_cast<std::uint32_t>(layout.key_slot()));
  return block;
}

namespace {

/// The members of `old` that `changes` does not replace, then those that `changes` sets; null
/// removes.
std::string merge_extra(const record_block& old, const draft& changes) {
  auto before = extra_of(old);
  auto after = changes.extra_members();
  std::vector<std::string_view> set; // sorted: both may be a thousand
  if (!before.is_null())
    for (auto m : after.members())
      set.push_back(m.name);
  std::ranges::sort(set);
  std::size_t bytes = 0;
  std::size_t count = 0;
  auto each = [&](auto&& visit) {
    for (auto m : before.members())
      if (!std::ranges::binary_search(set, m.name))
        visit(m);
    for (auto m : after.members())
      if (!m.content.is_null())
        visit(m);
  };
  each([&](member_view m) {
    bytes += encoded_member_size(m.name, *encoded_size(m.content));
    ++count;
  });
  if (count == 0)
    return {};
  std::string merged(container_head_size + bytes, '\0');
  auto* to = merged.data() + container_head_size;
  encode_container_head(value_kind::object, bytes, count, merged.data());
  each([&](member_view m) { to = encode_value(m.content, encode_name(m.name, to)); });
  return merged;
}

} // namespace

update_plan plan_update(const record_block& old, const draft& changes) {
  update_plan plan;
  auto schema_slots = changes.schema().layout().size();
  plan.same_shape = changes.extra_count() == 0;
  std::size_t tail = 0;
  for (std::size_t i = 0; i < schema_slots; ++i) {
    auto& next = *source_of(old, changes, i).from;
    auto& last = old.slots()[i];
    auto next_size = in_tail(next) ? next.size : 0;
    tail += next_size;
    plan.same_shape = plan.same_shape && next_size == (in_tail(last) ? last.size : 0);
  }
  if (plan.same_shape) {
    plan.bytes = old.bytes;
    return plan;
  }
  if (changes.extra_count() != 0)
    plan.extra = merge_extra(old, changes);
  else if (old.slot_count > schema_slots)
    plan.extra = old.bytes_of(old.slots()[schema_slots]);
  auto slots = schema_slots + !plan.extra.empty();
  plan.bytes = sizeof(record_block) + slots * sizeof(slot) + tail + plan.extra.size();
  return plan;
}

namespace {

/// Every value keeps its place: one copy of all, then the changed ones over it.
void overwrite(record_block& block, const record_block& old, const draft& changes) noexcept {
  std::memcpy(block.slots(), old.slots(), old.bytes - sizeof(record_block));
  for (std::size_t i = 0, n = changes.schema().layout().size(); i < n; ++i) {
    if (!changes.given(i))
      continue;
    auto& from = changes.slots()[i];
    auto& to = block.slots()[i];
    if (in_tail(from)) {
      to.tag = from.tag;
      std::memcpy(block.tail() + to.offset, changes.tail() + from.offset, from.size);
    } else {
      to = from.tag == slot_tag::null ? slot{} : from;
    }
  }
}

void repack(record_block& block, const record_block& old, const draft& changes,
            const update_plan& plan) noexcept {
  std::size_t used = 0;
  for (std::size_t i = 0, n = changes.schema().layout().size(); i < n; ++i) {
    auto [from, tail] = source_of(old, changes, i);
    auto& to = block.slots()[i];
    to = from->tag == slot_tag::null ? slot{} : *from;
    if (!in_tail(*from))
      continue;
    std::memcpy(block.tail() + used, tail + from->offset, from->size);
    to.offset = used;
    used += from->size;
  }
  if (!plan.extra.empty()) {
    put_extra(block, used, plan.extra.size());
    std::memcpy(block.tail() + used, plan.extra.data(), plan.extra.size());
  }
}

} // namespace

record_block* build_update(void* memory, const record_block& old, const draft& changes,
                           const update_plan& plan, timestamp now) noexcept {
  auto& layout = changes.schema().layout();
  auto slots = plan.same_shape ? old.slot_count : layout.size() + !plan.extra.empty();
  auto* block = begin_block(memory, plan.bytes, slots, layout);
  block->created_at = old.created_at;
  block->updated_at = microseconds(now);
  block->expires_at = old.expires_at;
  block->row = old.row;
  block->version = old.version + 1;
  if (plan.same_shape)
    overwrite(*block, old, changes);
  else
    repack(*block, old, changes, plan);
  return block;
}

} // namespace holdfast::detail
