#pragma once

#include <holdfast/runtime/pending.hpp>
#include <holdfast/store/aggregate.hpp>
#include <holdfast/store/query.hpp>
#include <holdfast/store/record_view.hpp>
#include <holdfast/store/snapshot.hpp>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace holdfast {

struct query_list;

namespace detail {
class adder;
class reader;
class bucket_core;
class transaction_part;

/// Calls something with each record of a visit; false ends it.
struct record_visitor {
  void* context;
  bool (*call)(void* context, const record_block& block);

  template <class F>
  static record_visitor of(F& f) {
    return {&f, [](void* context, const record_block& block) {
              auto& g = *static_cast<F*>(context);
              if constexpr (std::is_same_v<std::invoke_result_t<F&, const record_view&>, bool>)
                return g(record_view{block});
              else
                return g(record_view{block}), true;
            }};
  }
};

/// Calls something with the key of each record and its values of some fields; false ends it.
struct fields_visitor {
  void* context;
  bool (*call)(void* context, value_view key, std::span<const value_view> contents);

  template <class F>
  static fields_visitor of(F& f) {
    return {&f, [](void* context, value_view key, std::span<const value_view> contents) {
              return (*static_cast<F*>(context))(key, contents);
            }};
  }
};
} // namespace detail

/// A query on one bucket: describe it, then run it in one of several ways.
///
///     users->where("role"_f == "admin" && "age"_f >= 18).order_by("age").limit(10).all().get()
///
/// A value; thread-safe to run. Reads the newest published state, or a snapshot's, at the moment it
/// is run; the answer is the same with and without indexes. Its `pending`s are ready. Errors:
/// `invalid_argument` for a query that makes no sense in the bucket (an unknown field, a value that
/// its field can never have, a malformed cursor), `dropped`, `stopped`.
class selection {
public:
  selection where(filter which) &&;
  selection order_by(std::string_view field, direction way = direction::ascending) &&;
  template <detail::has_order T, class R>
  selection order_by(field_ref<T, R> field, direction way = direction::ascending) && {
    return std::move(*this).order_by(field.name, way);
  }
  selection then_by(std::string_view field, direction way = direction::ascending) &&;
  template <detail::has_order T, class R>
  selection then_by(field_ref<T, R> field, direction way = direction::ascending) && {
    return std::move(*this).then_by(field.name, way);
  }
  selection offset(std::uint64_t count) &&;
  selection limit(std::uint64_t count) &&;
  /// What `objects` gives of each record: fields, or paths into them, at most
  /// `record_limits::fields`. Whichever read is made refuses those that there are not.
  selection fields(std::vector<field_name> names) &&;

  pending<records> all() const;
  /// Copies of what `fields` names, or of whole records: one member per name, called as it was
  /// asked for (`address.city`), without those that are null.
  pending<std::vector<object>> objects() const;
  /// The first one. Error: `not_found`.
  pending<record> find_one() const;
  /// How many; offset and limit count. O(log n) when the indexes answer alone.
  pending<std::uint64_t> count() const;
  /// The first ones, or the last ones, of what offset and limit leave.
  pending<records> first(std::int64_t n) const;
  pending<records> last(std::int64_t n) const;
  /// At most `size` records behind `after`, the cursor that the page before gave; of the first page
  /// the offset counts. The limit does not.
  pending<page> page_of(std::uint64_t size, std::optional<std::string> after = {}) const;

  /// Over the numbers in a field, others are left out. `sum` of none is 0, the rest are null. A sum
  /// is exact as long as it is an integer; else it is the real nearest to the exact one, so it does
  /// not depend on the order of records (Neal's superaccumulator, 2015), and an infinity if it is
  /// beyond the greatest real, as is then the `avg`.
  pending<value> sum(const field_name& field) const;
  pending<value> avg(const field_name& field) const;
  /// The least and greatest value by the order of `value`; null of none.
  pending<value> min(const field_name& field) const;
  pending<value> max(const field_name& field) const;
  /// The records in groups of equal values in `keys`, with `what` of each group:
  ///
  ///     group_by({"role", "city"}, {aggregate::count(), aggregate::avg("age")})
  ///
  /// Keys are equal by value (1 and 1.0 are, 1 and "1" are not); null and absent are one. Without
  /// keys all records are one group, which is there even without records. Offset and limit count
  /// records, not groups. O(records).
  pending<groups> group_by(std::vector<field_name> keys, std::vector<aggregate> what) const;

  /// Calls `f(const record_view&)` for the records in order, without taking references; when `f`
  /// returns a bool, false ends the visit. Gives how many it was called with. While it runs,
  /// nothing that dies in the bucket is freed, so `f` must be short.
  template <class F>
  result<std::uint64_t> visit(F&& f) const {
    return visit_blocks(detail::record_visitor::of(f));
  }

  /// How it would be answered: which index, how many rows, what is checked per record.
  result<explanation> explain() const;

  const query& description() const noexcept { return query_; }

  /// For the store's own parts: the records, and what `fields` names of them.
  result<query_list> list() const;
  /// The same. In `first`: the query's records without its offset, and so many more behind its end.
  result<query_list> list_with_more(std::uint64_t behind, records& first) const;
  /// The numbers that `sum` and `avg` are made of.
  result<detail::adder> add_up(const field_name& field) const;
  /// The values of what `fields` names, valid during the call, as `objects` would copy them.
  result<std::uint64_t> visit_fields(detail::fields_visitor visitor) const;

  selection(ref<detail::bucket_core> of, query q, std::optional<snapshot> when);
  selection(ref<detail::transaction_part> in, query q);
  selection(const selection&);
  selection(selection&&) noexcept;
  selection& operator=(const selection&);
  selection& operator=(selection&&) noexcept;
  ~selection();

private:
  result<std::uint64_t> visit_blocks(detail::record_visitor visitor) const;
  template <class F>
  auto read(F&& f) const;
  template <class F>
  auto walk(F&& f) const;
  using used_fields = std::optional<std::vector<std::string>>;
  used_fields used_by_number(std::initializer_list<std::string_view> names) const;
  used_fields used_by_objects() const;
  void note_all(const query& q, used_fields used = std::nullopt) const;
  void note_first(const detail::reader& from, const query& q,
                  const detail::record_block* last) const;
  void note_last(const detail::reader& from, const detail::record_block* first) const;

  ref<detail::bucket_core> of_;
  query query_;
  std::optional<snapshot> when_;
  ref<detail::transaction_part> in_; ///< null: in no transaction
};

} // namespace holdfast
