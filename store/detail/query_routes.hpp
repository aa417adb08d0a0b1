#pragma once

#include <holdfast/store/change.hpp>
#include <holdfast/store/detail/bucket_core.hpp>
#include <holdfast/store/detail/index_key.hpp>
#include <holdfast/store/detail/interval_tree.hpp>
#include <holdfast/store/detail/read_set.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace holdfast::detail {

class query_group;

/// What a query's run read of one bucket.
struct query_reads {
  ref<bucket_core> of;
  const compiled_schema* schema = nullptr; ///< the definition that it saw; lives as long as `of`
  std::vector<std::uint64_t> keys = {};    ///< hashes of those looked up, present or not
  read_set set = {};                       ///< its queries; its look-ups are in `keys`
  bool may_expire = false;                 ///< some record had a deadline
};

/// Where changes of one bucket lead to. A node of a list; `of` is null in a list's head.
struct query_route {
  query_route() noexcept : before{this}, behind{this} {}
  query_route(const query_route&) = delete;
  query_route& operator=(const query_route&) = delete;
  ~query_route() { unlink(); }

  bool alone() const noexcept { return behind == this; }
  void unlink() noexcept {
    before->behind = behind;
    behind->before = before;
    before = behind = this;
  }
  void put_before(query_route& head) noexcept {
    before = head.before;
    behind = &head;
    before->behind = this;
    head.before = this;
  }

  query_route* before;
  query_route* behind;
  query_group* of = nullptr;
  read_set::query_read* read = nullptr; ///< null: a look-up, or the whole bucket
};

/// Which groups a change may concern: looked up by its key, by the values of the fields that
/// queries compare with `==`, by the ranges that they compare fields with, those of a `!=` or a
/// negation included, or that hold the first records of an order, and, of the other queries, one
/// after the other. May name a group in vain, never leaves one out.
///
/// A change costs a look-up by key, two per field that is compared, of the old and of the new
/// value, and the rest of the filter of each query found there; plus the filter of each query that
/// is of no such kind. Not thread-safe.
class query_routes {
public:
  /// The entries of one run; they go with it.
  using entries = std::vector<std::unique_ptr<query_route>>;

  /// Enters what a group read. `reads` must outlive the entries.
  void add(query_group& g, const query_reads& reads, entries& out);

  /// Calls `f(group, read)` for those that a change may concern, a group perhaps several times;
  /// `read` is null if it is the key, or all of the bucket.
  ///
  /// A run that did not see the change may have seen the record ended all the same, by a deadline
  /// that the change then moved: by `now` it has come. For such a run the record comes into being.
  template <class F>
  void each(const change& c, std::int64_t now, F&& f);

  bool empty() const noexcept { return all_.alone(); }

private:
  struct field_routes {
    bound_field field; ///< refers to `path`
    std::string path;
    std::unordered_map<std::uint64_t, query_route> by_value;
    interval_tree<query_route> by_range;
    bool empty() const noexcept { return by_value.empty() && by_range.empty(); }
  };
  /// A field, and the values without which nothing is matched, or which stand in front.
  struct field_ranges {
    bound_field field;
    std::vector<value_interval> over; ///< at least one
  };
  static std::uint64_t hash_of_value(value_view x) noexcept;
  static const bound_node* comparison_in(const matcher& filter) noexcept;
  static bool is_equality(const bound_node& node) noexcept;
  static std::vector<value_interval> walked(const bound_order& term, const value& end,
                                            read_set::walk_from from);
  static std::optional<field_ranges> ranges_of(const read_set::query_read& read);
  void sweep();
  field_routes& routes_of(const bound_field& field);
  query_route& enter(query_route& head, query_group& g, read_set::query_read* read, entries& out);
  template <class F>
  void each_read(const record_layout& layout, const record_block* before, const record_block* after,
                 F&& f);
  template <class F>
  void each_by_value(field_routes& field, const record_layout& layout, const record_block* before,
                     const record_block* after, F&& f);
  template <class F>
  void each_by_range(field_routes& field, const record_layout& layout, const record_block* before,
                     const record_block* after, F&& f);

  query_route all_;        ///< every group that read the bucket, for changes of all of it
  query_route everything_; ///< those that read all of it
  query_route others_;     ///< queries that neither a value nor a range leads to
  std::unordered_map<std::uint64_t, query_route> keys_;
  std::vector<std::unique_ptr<field_routes>> fields_;
  std::size_t entered_ = 0;
};

template <class F>
void query_routes::each_by_value(field_routes& field, const record_layout& layout,
                                 const record_block* before, const record_block* after, F&& f) {
  auto hash = [&](const record_block* b) { return hash_of_value(field_of(*b, field.field)); };
  auto look = [&](std::uint64_t at) {
    auto found = field.by_value.find(at);
    if (found == field.by_value.end())
      return;
    for (auto* r = found->second.behind; r != &found->second; r = r->behind)
      if (r->read->touched_by(layout, before, after))
        f(*r->of, r->read);
  };
  std::optional<std::uint64_t> first;
  if (before)
    look(*(first = hash(before)));
  if (after)
    if (auto second = hash(after); second != first)
      look(second);
}

template <class F>
void query_routes::each_by_range(field_routes& field, const record_layout& layout,
                                 const record_block* before, const record_block* after, F&& f) {
  auto all_in = [&](query_route& head) {
    for (auto* r = head.behind; r != &head; r = r->behind)
      if (r->read->touched_by(layout, before, after))
        f(*r->of, r->read);
  };
  const auto old = before ? field_of(*before, field.field) : value_view{};
  if (before)
    field.by_range.each_with(old, [&](auto&, query_route& head) { all_in(head); });
  if (after)
    field.by_range.each_with(field_of(*after, field.field), [&](auto& over, query_route& head) {
      if (!before || !over.contains(old))
        all_in(head);
    });
}

template <class F>
void query_routes::each(const change& c, std::int64_t now, F&& f) {
  auto all_in = [&](query_route& head) {
    for (auto* r = head.behind; r != &head; r = r->behind)
      f(*r->of, nullptr);
  };
  auto *before = c.before.block(), *after = c.after.block();
  auto* some = after ? after : before;
  if (!some || c.kind == change_kind::redefined)
    return all_in(all_);
  all_in(everything_);
  if (!keys_.empty()) {
    // Not `some->hash`, which a version that was replaced does not have any more.
    const auto hash = hash_of(*some, static_cast<std::uint32_t>(some->layout->key_slot()));
    if (auto found = keys_.find(hash); found != keys_.end())
      all_in(found->second);
  }
  each_read(*some->layout, before, after, f);
  if (before && after && expired(*before, now)) [[unlikely]]
    each_read(*some->layout, nullptr, after, f);
}

/// The queries that a value or a range leads to, and the others.
template <class F>
void query_routes::each_read(const record_layout& layout, const record_block* before,
                             const record_block* after, F&& f) {
  for (auto& field : fields_) {
    if (!field->by_value.empty())
      each_by_value(*field, layout, before, after, f);
    if (!field->by_range.empty())
      each_by_range(*field, layout, before, after, f);
  }
  for (auto* r = others_.behind; r != &others_; r = r->behind)
    if (r->read->touched_by(layout, before, after))
      f(*r->of, r->read);
}

} // namespace holdfast::detail
