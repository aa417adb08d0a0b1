#pragma once

#include <holdfast/store/bucket.hpp>
#include <holdfast/store/mapping.hpp>

#include <cstdint>
#include <optional>
#include <string>
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

} // namespace detail

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
  /// `order_by(f<&user::age>)`, or a field's name.
  template <class Field>
  typed_selection order_by(const Field& field, direction way = direction::ascending) && {
    return typed_selection{std::move(plain_).order_by(field, way)};
  }
  template <class Field>
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
  /// `sum(f<&user::age>)`, or a field's name; so with the others. See `selection`.
  pending<value> sum(const field_name& field) const { return plain_.sum(field); }
  pending<value> avg(const field_name& field) const { return plain_.avg(field); }
  pending<value> min(const field_name& field) const { return plain_.min(field); }
  pending<value> max(const field_name& field) const { return plain_.max(field); }
  pending<groups> group_by(std::vector<field_name> keys, std::vector<aggregate> what) const {
    return plain_.group_by(std::move(keys), std::move(what));
  }
  result<explanation> explain() const { return plain_.explain(); }

  /// Visits, projections and all else.
  const selection& plain() const noexcept { return plain_; }

private:
  selection plain_;
};

/// A handle to a bucket of structs that have a `mapping`: what `bucket<>` does, with `T` for a
/// record. A field of a wrong type does not compile. See `bucket<>` for the rules and the errors;
/// reading adds `invalid` for a record that does not fit the struct.
template <class T>
class bucket {
  static_assert(mapped<T>, "bucket<T>: T needs a specialization of holdfast::mapping");

public:
  explicit bucket(bucket<record> plain) : plain_{std::move(plain)} {}

  const std::string& name() const noexcept { return plain_.name(); }
  bucket with(durability level) const { return bucket{plain_.with(level)}; }
  bucket at(const snapshot& when) const { return bucket{plain_.at(when)}; }
  /// The same bucket by field names.
  const bucket<record>& plain() const noexcept { return plain_; }

  /// Adds a struct and gives it as stored, with what was generated.
  pending<T> insert(const T& item) const {
    return plain_.insert(to_draft(plain_.compiled(), item)).map(from_record<T>);
  }
  /// Sets some members of a record: `update("7", set<&user::age>(31), set<&user::email>(none))`.
  template <class... Changes>
  pending<T> update(value key, const Changes&... changes) const {
    return plain_.update(std::move(key), {changes.input()...}).map(from_record<T>);
  }
  pending<T> upsert(const T& item) const {
    return plain_.upsert(to_draft(plain_.compiled(), item)).map(from_record<T>);
  }
  pending<T> erase(value key) const { return plain_.erase(std::move(key)).map(from_record<T>); }
  pending<std::uint64_t> clear() const { return plain_.clear(); }

  pending<T> get(value_view key) const { return plain_.get(key).map(from_record<T>); }
  bool contains(value_view key) const { return plain_.contains(key); }
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
  bucket<record> plain_;
};

/// One change of a typed update.
template <auto M>
struct member_change {
  using type = typename detail::member_of<decltype(M)>::type;
  type content;
  field_input input() const { return {detail::member_name<M>(), detail::view_of_member(content)}; }
};

/// The member's new value. A value of an unrelated type does not compile.
template <auto M>
member_change<M> set(typename member_change<M>::type content) {
  return {std::move(content)};
}

} // namespace holdfast
