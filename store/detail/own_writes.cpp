#include <holdfast/store/detail/own_writes.hpp>

#include <holdfast/store/detail/pool.hpp>
#include <holdfast/store/detail/retire.hpp>

#include <algorithm>
#include <utility>

namespace holdfast::detail {
namespace {

constexpr std::size_t absent = ~std::size_t{0};

/// Where the records of the calling thread's transactions are built. Records that are still held
/// when the thread ends outlive it, as those of a bucket do.
pool& thread_memory() {
  static thread_local pool memory;
  return memory;
}

} // namespace

void own_writes::keep(std::shared_ptr<const record_layout> layout) {
  thread_memory().keep(std::move(layout));
}

void* own_writes::allocate(std::size_t bytes) {
  blocks_.push_back(nullptr);
  void* memory = thread_memory().allocate(bytes);
  blocks_.back() = static_cast<record_block*>(memory);
  return memory;
}

std::size_t own_writes::position(const key_view& key, std::uint64_t hash,
                                 std::uint32_t key_slot) const {
  auto is = [&](const own_write& e) {
    return e.hash == hash && compare(key_view::of(*e.key_holder, key_slot), key) == 0;
  };
  if (entries_.size() <= few) {
    auto found = std::ranges::find_if(entries_, is);
    return found == entries_.end() ? absent : static_cast<std::size_t>(found - entries_.begin());
  }
  auto [first, last] = by_hash_.equal_range(hash);
  for (; first != last; ++first)
    if (first->second < entries_.size() && is(entries_[first->second]))
      return first->second;
  return absent;
}

const own_write* own_writes::find(const key_view& key, std::uint64_t hash,
                                  std::uint32_t key_slot) const {
  auto at = position(key, hash, key_slot);
  return at == absent ? nullptr : &entries_[at];
}

bool own_writes::touches(std::uint64_t row) const {
  if (row >= first_row_)
    return true;
  if (entries_.size() > few)
    return by_row_.contains(row);
  return std::ranges::any_of(entries_, [&](auto& e) { return e.before && e.before->row == row; });
}

const record_block* own_writes::in_place_of(const record_block& block) const {
  const own_write* found = nullptr;
  if (entries_.size() <= few) {
    for (auto& e : entries_)
      if (e.before == &block)
        found = &e;
  } else if (auto at = by_row_.find(block.row); at != by_row_.end()) {
    found = &entries_[at->second];
  }
  if (!found)
    return &block;
  return found->after && found->after->row == block.row ? found->after : nullptr;
}

std::vector<const record_block*> own_writes::inserted() const {
  std::vector<const record_block*> out;
  for (auto& e : entries_)
    if (e.after && (!e.before || e.begins_anew()))
      out.push_back(e.after);
  std::ranges::sort(out, {}, &record_block::row);
  return out;
}

void own_writes::value_index::add(const record_block* block, std::size_t entry) {
  if (block && slot < block->layout->size())
    at.emplace(hash_of(*block, slot), entry);
}

own_writes::value_index& own_writes::indexed(std::uint32_t slot) const {
  for (auto& each : by_value_)
    if (each.slot == slot)
      return each;
  value_index fresh{slot, {}};
  for (std::size_t i = 0; i < entries_.size(); ++i)
    fresh.add(entries_[i].after, i);
  for (auto& past : undo_) // what a rollback may bring back
    fresh.add(past.after, past.entry);
  return by_value_.emplace_back(std::move(fresh));
}

/// Ascending, each once.
std::vector<std::size_t> own_writes::positions_of(std::uint32_t slot, const key_view& x) const {
  std::vector<std::size_t> out;
  const auto [first, last] = indexed(slot).at.equal_range(hash_of(x));
  for (auto each = first; each != last; ++each)
    if (each->second < entries_.size())
      out.push_back(each->second);
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

void own_writes::index(const own_write& e, std::size_t at) {
  by_hash_.emplace(e.hash, at);
  if (e.before)
    by_row_.insert_or_assign(e.before->row, at);
}

void own_writes::change(own_write& e, record_block* after) noexcept {
  growth_ += (after ? 1 : 0) - (e.after ? 1 : 0);
  e.after = after;
  has_deadlines_ = has_deadlines_ || (after && after->expires_at != 0);
}

void own_writes::put(const record_block& holder, std::uint64_t hash, std::uint32_t key_slot,
                     record_block* before, record_block* after) {
  if (undo_.size() == undo_.capacity())
    undo_.reserve(2 * undo_.size() + 4);
  auto at = position(key_view::of(holder, key_slot), hash, key_slot);
  if (at == absent) {
    at = entries_.size();
    if (at == entries_.capacity())
      entries_.reserve(2 * at + 4);
    if (at == few)
      for (std::size_t i = 0; i < at; ++i)
        index(entries_[i], i);
    const own_write fresh{hash, &holder, before, before, undo_.size()};
    if (at >= few)
      index(fresh, at); // an entry of the indexes without one in the list does no harm
    entries_.push_back(fresh);
    for (auto& each : by_value_)
      each.add(before, at);
  }
  for (auto& each : by_value_)
    each.add(after, at);
  auto& e = entries_[at];
  const bool goes_on = e.changes() && e.after && after && e.after->row == after->row;
  undo_.push_back({at, e.after, e.order});
  if (!goes_on)
    e.order = undo_.size();
  change(e, after);
}

void own_writes::rollback(std::size_t to) noexcept {
  for (; undo_.size() > to; undo_.pop_back()) {
    auto& past = undo_.back();
    entries_[past.entry].order = past.order;
    change(entries_[past.entry], past.after);
  }
}

void own_writes::clear() noexcept {
  entries_.clear();
  undo_.clear();
  by_hash_.clear();
  by_row_.clear();
  by_value_.clear();
  growth_ = 0;
  has_deadlines_ = false;
  for (auto* block : blocks_)
    if (block)
      drop_block(thread_memory(), block);
  blocks_.clear();
}

} // namespace holdfast::detail
