#pragma once

#include <holdfast/store/bucket.hpp>
#include <holdfast/store/detail/typed_members.hpp>
#include <holdfast/store/mapping.hpp>
#include <holdfast/store/typed_selection.hpp>
#include <holdfast/store/typed_view.hpp>

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace holdfast {

/// One change of a typed update; see `set`.
template <auto M>
struct member_change {
  using record_type = typename detail::member_of<decltype(M)>::record;
  using type = typename detail::member_of<decltype(M)>::type;
  static constexpr std::string_view name = detail::member_name<M>();
  type content;
};

/// The same, of what is not of the member's own type, as it is stored.
template <auto M>
struct stored_change {
  using record_type = typename member_change<M>::record_type;
  static constexpr std::string_view name = member_change<M>::name;
  value content;
};

/// The member's new value: `set<&user::age>(31)`, `set<&user::email>(nullptr)`. A value of an
/// unrelated type does not compile; an integer or a duration that the member cannot hold is not cut
/// off: the write is refused with `invalid`.
template <auto M>
member_change<M> set(typename member_change<M>::type content) {
  return {std::move(content)};
}
template <auto M, class U>
requires(!std::same_as<typename member_change<M>::type, U> &&
         detail::put_into<typename member_change<M>::type, U>)
    stored_change<M> set(const U& content) {
  return {detail::put_value<typename member_change<M>::type>(content)};
}
template <auto M, class U>
requires(!detail::put_into<typename member_change<M>::type, U>)
    stored_change<M> set(const U& content)
= delete;

/// A handle to a bucket of structs that have a `mapping`: what `bucket<>` does, with `T` for a
/// record. A field of a wrong type does not compile. See `bucket<>` for the rules and the errors;
/// reading adds `invalid` for a record that does not fit the struct.
template <class T>
class bucket {
  static_assert(mapped<T>, "bucket<T>: T needs a specialization of holdfast::mapping");

public:
  /// How keys are given: what is a text, or any integer, after the key's member.
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
  /// it; see `bucket<record>::modify`. Members that it leaves as they were are not written.
  template <class F>
  result<T> modify(key_argument key, F&& f) const {
    auto changed = [&](const record& now) -> result<object> {
      auto item = from_record<T>(now);
      if (!item)
        return fail(std::move(item.error()));
      const T before = *item;
      if constexpr (std::is_void_v<std::invoke_result_t<F&, T&>>) {
        f(*item);
      } else if (auto done = f(*item); !done) {
        return fail(std::move(done.error()));
      }
      return detail::difference(before, *item);
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
  /// Updates the record with the struct's key if there is one, else inserts. An empty optional is
  /// stored as null; but one with `otherwise` gets its default when the record is inserted, and
  /// keeps what it has when it is updated.
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
  requires(sizeof...(Changes) > 0 && (std::same_as<typename Changes::record_type, T> && ...))
      pending<std::uint64_t> update_many(detail::filter_for<T> which, const Changes&... changes)
  const { return update_many(std::move(which), write_options{}, changes...); }
  /// The same with options: `update_many({}, {.expires_in = 1h}, set<&user::age>(31))`.
  template <class... Changes>
  requires(sizeof...(Changes) > 0 &&
           (std::same_as<typename Changes::record_type, T> &&
            ...)) pending<std::uint64_t> update_many(detail::filter_for<T> which,
                                                     const write_options& how,
                                                     const Changes&... changes)
  const {
    return [&](const auto&... stored) {
      return plain_.update_many(std::move(which).plain(), {field_input{Changes::name, stored}...},
                                how);
    }(detail::to_stored(changes.content)...);
  }
  pending<T> erase(key_argument key, const write_options& how = {}) const {
    return plain_.erase(key, how).map(from_record<T>);
  }
  pending<std::uint64_t> erase_many(detail::filter_for<T> which) const {
    return plain_.erase_many(std::move(which).plain());
  }
  pending<std::uint64_t> clear() const { return plain_.clear(); }
  result<std::uint64_t> purge() const { return plain_.purge(); }

  // -- reads

  pending<T> get(key_argument key) const { return plain_.get(key).map(from_record<T>); }
  pending<T> find(key_argument key) const { return get(key); }
  bool contains(key_argument key) const { return plain_.contains(key); }
  /// Calls `f(const typed_view<T>&)`, without making a struct: one that reads single members costs
  /// what the plain one does, see `bucket<record>::visit`. `f` may also take a `record_view`. Error
  /// besides: `invalid` when a member is read that the record does not fit.
  template <detail::looks_at<T> F>
  result<bool> visit(key_argument key, F&& f) const {
    return detail::visit_typed<T, result<bool>>(
        f, [&](auto& look) { return plain_.visit(key, look); });
  }

  typed_selection<T> where(detail::filter_for<T> which) const {
    return typed_selection<T>{plain_.where(std::move(which).plain())};
  }
  typed_selection<T> everything() const { return typed_selection<T>{plain_.everything()}; }
  pending<std::vector<T>> all() const { return everything().all(); }
  pending<T> find_one(detail::filter_for<T> which) const {
    return where(std::move(which)).find_one();
  }
  pending<std::uint64_t> count() const { return plain_.count(); }
  pending<std::uint64_t> count(detail::filter_for<T> which) const {
    return plain_.count(std::move(which).plain());
  }
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
