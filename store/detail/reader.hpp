#pragma once

#include <holdfast/store/detail/own_writes.hpp>
#include <holdfast/store/detail/parts.hpp>
#include <holdfast/store/detail/read_key.hpp>
#include <holdfast/store/detail/read_view.hpp>
#include <holdfast/store/detail/validation_rules.hpp>
#include <holdfast/store/query.hpp>
#include <holdfast/store/value_view.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace holdfast::detail {

/// Whether a version holds records whose deadline has come and that are not purged yet: counts then
/// subtract them.
enum class expiry : std::uint8_t { none, possible };

/// A value as keys and indexes see it. Numbers stay what they are; no key or index holds arrays and
/// objects.
inline key_view probe_of(value_view v) noexcept {
  switch (v.kind()) {
  case value_kind::boolean:
    return key_view{v.as_bool()};
  case value_kind::integer:
    return key_view{v.as_int()};
  case value_kind::real:
    return key_view{v.as_double()};
  case value_kind::string:
    return key_view{v.as_string()};
  case value_kind::null:
  case value_kind::array:
  case value_kind::object:
    break;
  }
  return {};
}

/// One version of a bucket as queries see it: fields by slot, values as `value_view`, indexes by
/// field. Refers to the schema and the view; valid as long as the view is, under the view's pin.
///
/// With a transaction's own writes, these stand in the place of what they changed in walks of rows
/// and in look-ups of keys. The indexes know nothing of them: see `each_match`.
class reader {
public:
  reader(const compiled_schema& schema, const read_view& view, expiry how,
         const own_writes* own = nullptr) noexcept
      : schema_{schema}, view_{view}, own_{own}, expiry_{own ? expiry::possible : how} {}

  /// Lets walks of all rows renew the pin now and then, so that they do not hold up the freeing of
  /// memory: the view must be that of a registered snapshot.
  void renew(pin_guard& pin) noexcept { pin_ = &pin; }

  const record_layout& layout() const noexcept { return schema_.layout(); }
  /// Of the bucket: see `bucket_layout`.
  std::uint64_t identity() const noexcept { return view_.data().layout().identity; }
  bool key_ordered() const noexcept { return schema_.definition().is_ordered(); }
  bool may_have_expired() const noexcept { return expiry_ == expiry::possible; }
  /// Whether each row and each entry of an index is a record to be found, so that those in front
  /// can be counted instead of looked at.
  bool is_countable() const noexcept { return !own_ && expiry_ == expiry::none; }
  /// See `read_view::skip_rows`; of what is countable.
  std::uint64_t skip_rows(std::uint64_t& count) const noexcept { return view_.skip_rows(count); }
  /// Records, expired ones included.
  std::uint64_t size() const noexcept {
    return own_ ? view_.count() + static_cast<std::uint64_t>(own_->growth()) : view_.count();
  }

  std::optional<std::uint32_t> unique_index(std::size_t slot) const noexcept {
    return index_of(slot, index_type::unique);
  }
  /// The one over this slot alone.
  std::optional<std::uint32_t> ordered_index(std::size_t slot) const noexcept {
    return index_of(slot, index_type::ordered);
  }
  std::optional<std::uint32_t> inverted_index(std::size_t slot) const noexcept {
    return index_of(slot, index_type::inverted);
  }
  /// All of them, in the order in which ranks and entries count them.
  const std::vector<index_spec>& indexes() const noexcept { return view_.data().layout().indexes; }
  /// What a transaction has written over the version; null if nothing.
  const own_writes* own() const noexcept { return own_; }
  /// The field of an index, or its fields as `(a, b)`.
  std::string index_name(std::uint32_t index) const;

  /// Calls `fn(const record_block&)` for the records that have expired at `now`.
  template <class Fn>
  void each_expired(std::int64_t now, Fn&& fn) const {
    view_.for_deadlines(0, view_.expired_count(now),
                        [&](const record_block& b) { return fn(b), true; });
  }
  /// How many those are, of the version without own writes.
  std::uint64_t expired_count(std::int64_t now) const noexcept { return view_.expired_count(now); }

  /// The record with this key, or null.
  const record_block* find_key(value_view key) const {
    if (own_)
      return find_own(key_of(key));
    if (key.is_string())
      return view_.find(key.as_string());
    auto number = key.if_int();
    bool text_keys = layout().type(layout().key_slot()) == field_type::string;
    return number && !text_keys ? view_.find(*number) : nullptr;
  }
  const record_block* find_unique(std::uint32_t index, value_view x) const {
    return x.is_null() ? nullptr : view_.find_unique(index, probe_of(x));
  }

  /// Entries of an ordered index that are below (x, row). O(log n).
  std::uint64_t rank(std::uint32_t index, value_view x, std::uint64_t row) const noexcept {
    return view_.rank_of_row(index, probe_of(x), row);
  }
  /// The same with values of the index's first fields; of fewer than all only with rows 0 and ~0.
  std::uint64_t rank(std::uint32_t index, std::span<const value_view> at,
                     std::uint64_t row) const noexcept {
    if (at.size() == 1)
      return rank(index, at[0], row);
    std::array<key_view, max_index_fields> keys;
    std::ranges::transform(at, keys.begin(), probe_of);
    return view_.rank_of(index, std::span{keys}.first(at.size()), row);
  }
  /// Entries of an inverted index whose parts are below `first`, or below and equal to `last`.
  /// O(log n).
  std::uint64_t rank_before(std::uint32_t index, value_part first) const noexcept {
    return view_.rank(index, part_probe(first, 0));
  }
  std::uint64_t rank_behind(std::uint32_t index, value_part last) const noexcept {
    return view_.rank(index, part_probe(last, ~std::uint64_t{0}));
  }
  std::uint64_t entries(std::uint32_t index) const noexcept { return view_.index_size(index); }

  /// Call `fn(const record_block&) -> bool` until it is false; whether they came to the end. That
  /// is likely to be behind `needed` entries, and no more are fetched before they are asked for.
  template <class Fn>
  bool each_entry(std::uint32_t index, std::uint64_t first, std::uint64_t last, Fn&& fn,
                  std::uint64_t needed = query::unlimited) const;
  template <class Fn>
  bool each_row(std::uint64_t first, Fn&& fn) const;
  template <class Fn>
  bool each_row_back(Fn&& fn) const {
    bool more = true;
    if (own_)
      return each_own_back(fn);
    view_.for_each_back(view_.row_bound(), [&](const record_block& b) { return more = fn(b); });
    return more;
  }

private:
  /// How many records are fetched at first, for who wants a few only, and ahead of a scan.
  static constexpr std::uint64_t few = 4;
  static constexpr std::uint64_t scan_batch = 16;
  /// The newest blocks of some rows, of a scan or of one leaf of an ordered index.
  static constexpr std::uint32_t rows_per_pin = 1024;
  struct batch {
    std::uint32_t size = 0;
    std::uint64_t from = 0; ///< of a scan: the row it begins with
    record_block* heads[order_node::capacity];
  };
  /// Looks up and starts fetching the next records of a leaf, `most` at most.
  void fetch(order_cursor& at, std::uint64_t most, batch& out) const noexcept;
  /// The same for rows from `row` on; `row` becomes the one to go on with.
  void fetch(std::uint64_t& row, std::uint64_t most, batch& out) const noexcept;
  template <class Fn>
  bool look(const batch& at, Fn&& fn) const;
  const record_block* find_own(const key_view& key) const;
  template <class Fn>
  bool each_own(std::uint64_t first, Fn&& fn) const;
  template <class Fn>
  bool each_own_back(Fn&& fn) const;

  std::optional<std::uint32_t> index_of(std::size_t slot, index_type type) const noexcept {
    const auto& all = indexes();
    for (std::uint32_t i = 0; i < all.size(); ++i)
      if (all[i].slot_number == slot && all[i].type == type && all[i].more_slots.empty())
        return i;
    return std::nullopt;
  }

  const compiled_schema& schema_;
  const read_view& view_;
  const own_writes* own_;
  expiry expiry_;
  pin_guard* pin_ = nullptr;
};

inline std::string reader::index_name(std::uint32_t index) const {
  const auto& spec = indexes()[index];
  auto out = layout().name(spec.slot_number);
  for (auto slot : spec.more_slots)
    out += ", " + layout().name(slot);
  return spec.more_slots.empty() ? out : "(" + out + ")";
}

inline void reader::fetch(order_cursor& at, std::uint64_t most, batch& out) const noexcept {
  out.size = 0;
  if (most == 0 || at.at_end())
    return;
  const auto& rows = view_.rows();
  const auto* entry = &at.entry();
  out.size =
      static_cast<std::uint32_t>(std::min(most, static_cast<std::uint64_t>(at.leaf_end() - entry)));
  for (std::uint32_t i = 0; i < out.size; ++i) {
    out.heads[i] = rows.head(entry[i].row);
    prefetch<0, 64, 128>(out.heads[i]);
  }
  at.skip(out.size);
}

template <class Fn>
bool reader::each_entry(std::uint32_t index, std::uint64_t first, std::uint64_t last, Fn&& fn,
                        std::uint64_t needed) const {
  if (first >= last)
    return true;
  auto at = view_.cursor(index);
  at.seek_rank(first);
  auto fetch_next = [&](std::uint64_t most, batch& out) {
    fetch(at, std::min(most, last - first), out);
    first += out.size;
    needed -= std::min<std::uint64_t>(needed, out.size);
  };
  // One batch ahead: its records come in while those of the batch before are looked at.
  batch batches[2];
  fetch_next(few, batches[0]);
  for (unsigned turn = 0; batches[turn].size > 0; turn ^= 1U) {
    auto& next = batches[turn ^ 1U];
    const bool ahead = needed > 0;
    if (ahead)
      fetch_next(std::min<std::uint64_t>(needed, order_node::capacity), next);
    if (!look(batches[turn], fn))
      return false;
    if (!ahead)
      fetch_next(order_node::capacity, next);
  }
  return true;
}

inline void reader::fetch(std::uint64_t& row, std::uint64_t most, batch& out) const noexcept {
  const auto& rows = view_.data().rows();
  const auto bound = view_.row_bound();
  out.size = 0;
  out.from = row;
  for (row = rows.next_row(row, bound); row < bound; row = rows.next_row(row + 1, bound)) {
    if (out.size == most)
      return;
    auto* head = rows.head(row);
    prefetch<0, 64, 128>(head);
    out.heads[out.size++] = head;
  }
}

template <class Fn>
bool reader::look(const batch& at, Fn&& fn) const {
  for (std::uint32_t i = 0; i < at.size; ++i)
    if (const auto* block = visible_at(at.heads[i], view_.seq()); block && !fn(*block))
      return false;
  return true;
}

template <class Fn>
bool reader::each_row(std::uint64_t first, Fn&& fn) const {
  if (own_)
    return each_own(first, fn);
  batch batches[2];
  fetch(first, few, batches[0]);
  std::uint32_t seen = 0;
  for (unsigned turn = 0; batches[turn].size > 0; turn ^= 1U) {
    auto& next = batches[turn ^ 1U];
    fetch(first, scan_batch, next);
    if (!look(batches[turn], fn))
      return false;
    seen += batches[turn].size;
    if (pin_ && seen >= rows_per_pin) {
      seen = 0;
      pin_->renew();
      first = next.from; // what was fetched may be freed by now
      fetch(first, scan_batch, next);
    }
  }
  return true;
}

inline const record_block* reader::find_own(const key_view& key) const {
  const bool text_keys = layout().type(layout().key_slot()) == field_type::string;
  if (key.tag != (text_keys ? slot_tag::text : slot_tag::integer))
    return nullptr;
  const auto hash = text_keys ? hash_of(key.text) : hash_of(key.integer);
  if (const auto* own = own_->find(key, hash, static_cast<std::uint32_t>(layout().key_slot())))
    return own->after;
  return text_keys ? view_.find(key.text, hash) : view_.find(key.integer, hash);
}

template <class Fn>
bool reader::each_own(std::uint64_t first, Fn&& fn) const {
  bool more = true;
  view_.for_each(first, [&](const record_block& b) {
    const auto* now = own_->in_place_of(b);
    return more = !now || fn(*now);
  });
  for (const auto* b : own_->inserted())
    if (more && b->row >= first)
      more = fn(*b);
  return more;
}

template <class Fn>
bool reader::each_own_back(Fn&& fn) const {
  bool more = true;
  const auto inserted = own_->inserted();
  for (auto i = inserted.size(); more && i > 0; --i)
    more = fn(*inserted[i - 1]);
  if (more)
    view_.for_each_back(view_.row_bound(), [&](const record_block& b) {
      const auto* now = own_->in_place_of(b);
      return more = !now || fn(*now);
    });
  return more;
}

} // namespace holdfast::detail
