#pragma once

#include <holdfast/store/bucket.hpp>
#include <holdfast/store/detail/named_member.hpp>
#include <holdfast/store/detail/typed_lists.hpp>
#include <holdfast/store/mapping.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace holdfast {

namespace detail {

template <mapped T>
result<std::vector<T>> from_records(const records& list) {
  std::vector<T> out;
  out.reserve(list.size());
  for (auto& r : list) {
    auto one = from_record<T>(r);
    if (!one)
      return fail(std::move(one.error()));
    out.push_back(std::move(*one));
  }
  return out;
}

/// A value as the optional content of a member; null is none.
template <class X>
result<std::optional<X>> from_value(std::string_view bucket, std::string_view field,
                                    value_view content) {
  std::optional<X> out;
  misfits bad{bucket};
  read_member(content, out, bad, place{.name = field});
  if (bad.empty())
    return out;
  return fail(bad.to_error({}));
}

/// The type in which a typed bucket takes its keys: views of texts, int64 for integers.
template <mapped T>
using key_argument = std::conditional_t<
    std::same_as<typename decltype(key_type_of(mapping<T>.fields))::type, std::string>,
    std::string_view, std::int64_t>;

/// Whether a conversion that C++ does silently would change what is meant: 1.5 to an integer, a
/// flag to a number.
template <class To, class From>
concept lossy = (plain_integer<To> && (std::floating_point<From> || std::same_as<From, bool>)) ||
                (std::floating_point<To> && std::same_as<From, bool>) ||
                (std::same_as<To, bool> && (number_like<From> || std::is_pointer_v<From>));

} // namespace detail

/// One change of a typed update; see `set`.
template <auto M>
struct member_change {
  using record_type = typename detail::member_of<decltype(M)>::record;
  using type = typename detail::member_of<decltype(M)>::type;
  static constexpr std::string_view name = detail::member_name<M>();
  type content;
};

/// The member's new value: `set<&user::age>(31)`, `set<&user::email>(std::nullopt)`. A value of an
/// unrelated type does not compile.
template <auto M>
member_change<M> set(typename member_change<M>::type content) {
  return {std::move(content)};
}
template <auto M, class U>
requires detail::lossy<typename detail::unwrap_optional<typename member_change<M>::type>::type, U>
    member_change<M> set(U content)
= delete;

/// One page of a walk over structs; see `page`.
template <mapped T>
struct typed_page {
  std::vector<T> items;
  std::optional<std::string> next;
};

/// A `selection` whose records come as structs. Errors besides its own: `invalid` for a record that
/// does not fit the struct.
template <mapped T>
class typed_selection {
public:
  explicit typed_selection(selection plain) : plain_{std::move(plain)} {}

  typed_selection where(filter which) && {
    return typed_selection{std::move(plain_).where(std::move(which))};
  }
  /// `order_by(f<&user::age>)`, or a field's name. A member without an order does not compile.
  template <detail::ordered_field_in<T> Field>
  typed_selection order_by(const Field& field, direction way = direction::ascending) && {
    return typed_selection{std::move(plain_).order_by(field, way)};
  }
  template <detail::ordered_field_in<T> Field>
  typed_selection then_by(const Field& field, direction way = direction::ascending) && {
    return typed_selection{std::move(plain_).then_by(field, way)};
  }
  typed_selection offset(std::uint64_t n) && {
    return typed_selection{std::move(plain_).offset(n)};
  }
  typed_selection limit(std::uint64_t n) && { return typed_selection{std::move(plain_).limit(n)}; }

  pending<std::vector<T>> all() const { return plain_.all().map(detail::from_records<T>); }
  pending<T> find_one() const { return plain_.find_one().map(from_record<T>); }
  pending<std::uint64_t> count() const { return plain_.count(); }
  pending<std::vector<T>> first(std::int64_t n) const {
    return plain_.first(n).map(detail::from_records<T>);
  }
  pending<std::vector<T>> last(std::int64_t n) const {
    return plain_.last(n).map(detail::from_records<T>);
  }
  pending<typed_page<T>> page_of(std::uint64_t size, std::optional<std::string> after = {}) const {
    return plain_.page_of(size, std::move(after)).map([](page p) -> result<typed_page<T>> {
      return detail::from_records<T>(p.items).map([&](std::vector<T> items) {
        return typed_page<T>{std::move(items), std::move(p.next)};
      });
    });
  }
  /// Over a number, or a duration in its units; see `selection`. The sum of none is 0, the mean of
  /// none is empty. Another member does not compile.
  template <detail::numeric_field_in<T> Field>
  pending<value> sum(const Field& field) const {
    return plain_.sum(field_name{field});
  }
  template <detail::numeric_field_in<T> Field>
  pending<std::optional<double>> avg(const Field& field) const {
    return plain_.avg(field_name{field}).map([](const value& v) {
      return v.is_null() ? std::nullopt : std::optional{v.as_double()};
    });
  }
  /// The least and greatest value of a member, `max(f<&user::age>)`; empty of none. Of a name, as a
  /// value.
  template <detail::ordered_field_in<T> Field>
  pending<detail::extreme_of<Field>> min(const Field& field) const {
    return content_of(field, plain_.min(field_name{field}));
  }
  template <detail::ordered_field_in<T> Field>
  pending<detail::extreme_of<Field>> max(const Field& field) const {
    return content_of(field, plain_.max(field_name{field}));
  }
  /// As of `selection`; the keys and numbers of the groups are values. A member of another struct
  /// does not compile.
  pending<groups> group_by(detail::field_list<T> keys, detail::aggregate_list<T> what) const {
    return plain_.group_by(std::move(keys.names), std::move(what.all));
  }

  /// Calls `f(const record_view&)` for the records in order, without making structs; see
  /// `selection::visit`.
  template <class F>
  result<std::uint64_t> visit(F&& f) const {
    return plain_.visit(std::forward<F>(f));
  }
  result<explanation> explain() const { return plain_.explain(); }

  /// The same by field names: for projections and all else.
  const selection& plain() const noexcept { return plain_; }

private:
  /// The value as the content of the member, if one is named.
  template <class Field>
  static pending<detail::extreme_of<Field>> content_of(const Field& field, pending<value> found) {
    using type = typename detail::named_member<Field>::type;
    if constexpr (std::is_void_v<type>)
      return found;
    else
      return std::move(found).map([name = field.name](const value& v) {
        return detail::from_value<typename detail::unwrap_optional<type>::type>(mapping<T>.bucket,
                                                                                name, v);
      });
  }

  selection plain_;
};

/// A handle to a bucket of structs that have a `mapping`: what `bucket<>` does, with `T` for a
/// record. A field of a wrong type does not compile. See `bucket<>` for the rules and the errors;
/// reading adds `invalid` for a record that does not fit the struct.
template <class T>
class bucket {
  static_assert(mapped<T>, "bucket<T>: T needs a specialization of holdfast::mapping");

public:
  /// How keys are given: `std::string_view` or `std::int64_t`, after the key's member.
  using key_argument = detail::key_argument<T>;

  explicit bucket(bucket<record> plain) : plain_{std::move(plain)} {}

  const std::string& name() const noexcept { return plain_.name(); }
  bucket with(durability level) const { return bucket{plain_.with(level)}; }
  bucket at(const snapshot& when) const { return bucket{plain_.at(when)}; }
  /// The same bucket by field names.
  const bucket<record>& plain() const noexcept { return plain_; }

  // -- writes

  /// Adds a struct and gives it as stored, with what was generated.
  pending<T> insert(const T& item, const write_options& how = {}) const {
    return plain_.insert(to_draft(plain_.compiled(), item), how).map(from_record<T>);
  }
  /// Adds all or none, as one commit, in order.
  pending<std::vector<T>> insert_many(const std::vector<T>& items,
                                      const write_options& how = {}) const {
    return plain_.insert_many(objects_of(items), how).map(detail::from_records<T>);
  }
  /// Sets some members of a record, all at once:
  /// `update("7", set<&user::age>(31), set<&user::email>(std::nullopt))`.
  template <class... Changes>
  requires(sizeof...(Changes) > 0 && (std::same_as<typename Changes::record_type, T> &&
                                      ...)) pending<T> update(key_argument key,
                                                              const Changes&... changes)
  const { return update(key, write_options{}, changes...); }
  /// The same with options: `update("7", {.expected_version = 3}, set<&user::age>(31))`.
  template <class... Changes>
  requires(sizeof...(Changes) > 0 && (std::same_as<typename Changes::record_type, T> &&
                                      ...)) pending<T> update(key_argument key,
                                                              const write_options& how,
                                                              const Changes&... changes)
  const {
    // What is stored lives until the call returns, and the call copies it.
    return [&](const auto&... stored) {
      return plain_.update(key, {field_input{Changes::name, stored}...}, how).map(from_record<T>);
    }(detail::to_stored(changes.content)...);
  }
  /// Changes a struct by what it is: `f(T&)` changes it, or gives a `result<void>` whose error ends
  /// it; see `bucket<record>::modify`.
  template <class F>
  result<T> modify(key_argument key, F&& f) const {
    auto changed = [&](const record& now) -> result<object> {
      auto item = from_record<T>(now);
      if (!item)
        return fail(std::move(item.error()));
      if constexpr (std::is_void_v<std::invoke_result_t<F&, T&>>) {
        f(*item);
      } else if (auto done = f(*item); !done) {
        return fail(std::move(done.error()));
      }
      auto changes = to_object(*item);
      // That leaves out what an insert would fill in; here it may have been emptied.
      detail::for_each_field(mapping<T>.fields, [&](const auto& each, std::size_t) {
        using member_field = std::remove_cvref_t<decltype(each)>;
        if (!changes.contains(member_field::name) && !now[member_field::name].is_null())
          changes.set(member_field::name, nullptr);
      });
      return changes;
    };
    auto stored = plain_.modify(key, changed);
    if (!stored)
      return fail(std::move(stored.error()));
    return from_record<T>(*stored);
  }
  /// Gives a record another deadline; see `bucket<record>::touch`.
  pending<T> touch(key_argument key, const write_options& how = {}) const {
    return plain_.touch(key, how).map(from_record<T>);
  }
  /// Updates the record with the struct's key if there is one, else inserts.
  pending<T> upsert(const T& item, const write_options& how = {}) const {
    return plain_.upsert(to_draft(plain_.compiled(), item), how).map(from_record<T>);
  }
  /// Updates or inserts each, as one commit, in order, all or none.
  pending<std::vector<T>> upsert_many(const std::vector<T>& items,
                                      const write_options& how = {}) const {
    return plain_.upsert_many(objects_of(items), how).map(detail::from_records<T>);
  }
  /// Sets some members of all records that the filter finds, as one commit, all or none:
  /// `update_many(f<&user::age> >= 18, set<&user::adult>(true))`. Gives their number.
  template <class... Changes>
  requires(sizeof...(Changes) > 0 &&
           (std::same_as<typename Changes::record_type, T> &&
            ...)) pending<std::uint64_t> update_many(filter which, const Changes&... changes)
  const { return update_many(std::move(which), write_options{}, changes...); }
  /// The same with options: `update_many({}, {.expires_in = 1h}, set<&user::age>(31))`.
  template <class... Changes>
  requires(sizeof...(Changes) > 0 &&
           (std::same_as<typename Changes::record_type, T> &&
            ...)) pending<std::uint64_t> update_many(filter which, const write_options& how,
                                                     const Changes&... changes)
  const {
    return [&](const auto&... stored) {
      return plain_.update_many(std::move(which), {field_input{Changes::name, stored}...}, how);
    }(detail::to_stored(changes.content)...);
  }
  pending<T> erase(key_argument key, const write_options& how = {}) const {
    return plain_.erase(key, how).map(from_record<T>);
  }
  pending<std::uint64_t> erase_many(filter which) const {
    return plain_.erase_many(std::move(which));
  }
  pending<std::uint64_t> clear() const { return plain_.clear(); }
  result<std::uint64_t> purge() const { return plain_.purge(); }

  // -- reads

  pending<T> get(key_argument key) const { return plain_.get(key).map(from_record<T>); }
  pending<T> find(key_argument key) const { return get(key); }
  bool contains(key_argument key) const { return plain_.contains(key); }
  /// Calls `f(const record_view&)`, without making a struct; see `bucket<record>::visit`.
  template <class F>
  result<bool> visit(key_argument key, F&& f) const {
    return plain_.visit(key, std::forward<F>(f));
  }

  typed_selection<T> where(filter which) const {
    return typed_selection<T>{plain_.where(std::move(which))};
  }
  typed_selection<T> everything() const { return typed_selection<T>{plain_.everything()}; }
  pending<std::vector<T>> all() const { return everything().all(); }
  pending<T> find_one(filter which) const { return where(std::move(which)).find_one(); }
  pending<std::uint64_t> count() const { return plain_.count(); }
  pending<std::uint64_t> count(filter which) const { return plain_.count(std::move(which)); }
  pending<std::vector<T>> first(std::int64_t n) const { return everything().first(n); }
  pending<std::vector<T>> last(std::int64_t n) const { return everything().last(n); }

private:
  static std::vector<object> objects_of(const std::vector<T>& items) {
    std::vector<object> list;
    list.reserve(items.size());
    for (auto& each : items)
      list.push_back(to_object(each));
    return list;
  }

  bucket<record> plain_;
};

} // namespace holdfast
