#pragma once

#include <holdfast/store/mapping.hpp>
#include <holdfast/store/query.hpp>
#include <holdfast/store/record.hpp>
#include <holdfast/store/value.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

namespace holdfast {

/// What became of a list between two of its values. Items are the same if their keys are.
struct list_changes {
  struct step {
    std::size_t before; ///< place in the list before
    std::size_t after;  ///< place in the list after
    friend bool operator==(const step&, const step&) = default;
  };
  std::vector<std::size_t> removed = {}; ///< places in the list before
  std::vector<std::size_t> added = {};   ///< places in the list after
  std::vector<step> changed = {};        ///< have other content
  std::vector<step> moved = {}; ///< stand elsewhere among those that stayed; as few as explain it

  bool empty() const noexcept {
    return removed.empty() && added.empty() && changed.empty() && moved.empty();
  }
  friend bool operator==(const list_changes&, const list_changes&) = default;
};

/// The records of a declarative query in its order, and what its `fields` name of each. If it names
/// some, lists are equal when keys and `objects` are: a change of other fields is not told.
struct query_list {
  records items;
  std::vector<object> objects; ///< as many as items; none if the query names no fields
};

namespace detail {

/// Whether two handles show the same: the same version of a record, or an equal copy of it.
bool same_record(const record& a, const record& b);
/// `same(i, j)`: whether the item at `i` before and the one at `j` after have the same content.
list_changes compare_lists(const std::vector<value>& before, const std::vector<value>& after,
                           const std::function<bool(std::size_t, std::size_t)>& same);

template <mapped T>
bool same_struct(const T& a, const T& b) {
  bool same = true;
  for_each_field(mapping<T>.fields, [&](const auto& each, std::size_t) {
    using field = std::remove_cvref_t<decltype(each)>;
    same = same && value{to_stored(a.*field::member)} == value{to_stored(b.*field::member)};
  });
  return same;
}
template <mapped T>
value key_of_struct(const T& x) {
  value key;
  for_each_field(mapping<T>.fields, [&](const auto& each, std::size_t) {
    using field = std::remove_cvref_t<decltype(each)>;
    if constexpr (field::is_key)
      key = value{to_stored(x.*field::member)};
  });
  return key;
}

/// How results of a type are compared. Lists have keys as well.
template <class T>
struct result_rules {
  static bool same(const T& a, const T& b) { return a == b; }
};
template <std::floating_point T>
struct result_rules<T> {
  static bool same(T a, T b) { return a == b || (a != a && b != b); } // no number shows the same
};
template <mapped T>
struct result_rules<T> {
  static bool same(const T& a, const T& b) { return same_struct(a, b); }
};
template <>
struct result_rules<record> {
  static bool same(const record& a, const record& b) { return same_record(a, b); }
};
template <class List, class Item>
struct list_rules {
  static std::size_t size(const List& l) { return l.size(); }
  static bool same(const List& a, const List& b) {
    if (a.size() != b.size())
      return false;
    for (std::size_t i = 0; i < a.size(); ++i)
      if (!result_rules<Item>::same(a[i], b[i]))
        return false;
    return true;
  }
  static bool same_item(const List& a, std::size_t i, const List& b, std::size_t j) {
    return result_rules<Item>::same(a[i], b[j]);
  }
};
template <>
struct result_rules<records> : list_rules<records, record> {
  static value key(const records& l, std::size_t i) { return l[i].key().materialize(); }
};
template <mapped T>
struct result_rules<std::vector<T>> : list_rules<std::vector<T>, T> {
  static value key(const std::vector<T>& l, std::size_t i) { return key_of_struct(l[i]); }
};
template <>
struct result_rules<query_list> {
  static std::size_t size(const query_list& l) { return l.items.size(); }
  static bool same(const query_list& a, const query_list& b);
  static bool same_item(const query_list& a, std::size_t i, const query_list& b, std::size_t j);
  static value key(const query_list& l, std::size_t i) { return l.items[i].key().materialize(); }
};

template <class T>
concept keyed_list = requires(const T& list) {
  result_rules<T>::key(list, std::size_t{});
};

/// A result whose type is forgotten.
class held_value {
public:
  held_value() = default;
  held_value(const held_value&) = delete;
  held_value& operator=(const held_value&) = delete;
  virtual ~held_value() = default;
  virtual const std::type_info& type() const noexcept = 0;
  virtual const void* content() const noexcept = 0;
  /// `other` is of the same type.
  virtual bool same(const held_value& other) const = 0;
  /// `before` is of the same type, or null for an empty list.
  virtual list_changes since(const held_value* before) const = 0;
};

template <class T>
class held_result final : public held_value {
public:
  explicit held_result(T content) : content_{std::move(content)} {}
  const std::type_info& type() const noexcept override { return typeid(T); }
  const void* content() const noexcept override { return &content_; }
  bool same(const held_value& other) const override {
    return result_rules<T>::same(content_, of(other));
  }
  /// As long as nobody else has it.
  T& edit() noexcept { return content_; }
  list_changes since(const held_value* before) const override {
    if constexpr (keyed_list<T>) {
      using rules = result_rules<T>;
      const T nothing{};
      auto& old = before ? of(*before) : nothing;
      return compare_lists(keys(old), keys(content_), [&](std::size_t i, std::size_t j) {
        return rules::same_item(old, i, content_, j);
      });
    } else {
      return {};
    }
  }

private:
  static const T& of(const held_value& x) { return *static_cast<const T*>(x.content()); }
  static std::vector<value> keys(const T& list) requires keyed_list<T> {
    std::vector<value> out;
    for (std::size_t i = 0; i < result_rules<T>::size(list); ++i)
      out.push_back(result_rules<T>::key(list, i));
    return out;
  }
  T content_;
};

} // namespace detail

/// What a query gave, of whatever type its function gives; a declarative one gives a `query_list`,
/// a `value` (one aggregate) or `groups`. Immutable and shared: a cheap handle. Thread-safe.
class query_value {
public:
  query_value() = default;
  template <class T>
  static query_value of(T content) {
    return query_value{std::make_shared<const detail::held_result<T>>(std::move(content))};
  }

  /// The content if it is a `T`, else null.
  template <class T>
  const T* if_a() const noexcept {
    return held_ && held_->type() == typeid(T) ? static_cast<const T*>(held_->content()) : nullptr;
  }
  /// The content; throws `std::bad_cast` if it is not a `T`.
  template <class T>
  const T& as() const {
    auto* content = if_a<T>();
    if (!content)
      throw std::bad_cast{};
    return *content;
  }

  /// A list of records, or of these structs, as structs. Throws `std::bad_cast` if it is neither.
  /// Error: `invalid` for a record that does not fit the struct.
  template <mapped T>
  result<std::vector<T>> list() const;
  /// The same of a part of the list.
  template <mapped T>
  result<std::vector<T>> list(const std::vector<std::size_t>& places) const;

  /// For lists of records or mapped structs: what became of them since; of others, nothing.
  /// O(n log n).
  list_changes since(const query_value& before) const;
  /// The same since an empty list.
  list_changes since_nothing() const;

  /// Whether both show the same. Structs without `==` are compared by their mapping.
  friend bool operator==(const query_value& a, const query_value& b);

  /// For the store's own parts: a handle to what is held already.
  static query_value share(std::shared_ptr<const detail::held_value> held) {
    return query_value{std::move(held)};
  }

private:
  explicit query_value(std::shared_ptr<const detail::held_value> held) : held_{std::move(held)} {}
  const records& as_records() const {
    auto* list = if_a<query_list>();
    return list ? list->items : as<records>();
  }
  std::shared_ptr<const detail::held_value> held_;
};

template <mapped T>
result<std::vector<T>> query_value::list() const {
  if (auto* structs = if_a<std::vector<T>>())
    return *structs;
  return detail::from_records<T>(as_records());
}

template <mapped T>
result<std::vector<T>> query_value::list(const std::vector<std::size_t>& places) const {
  auto* structs = if_a<std::vector<T>>();
  auto* plain = structs ? nullptr : &as_records();
  std::vector<T> out;
  out.reserve(places.size());
  for (auto at : places) {
    auto one = structs ? result<T>{(*structs)[at]} : from_record<T>((*plain)[at]);
    if (!one)
      return fail(std::move(one.error()));
    out.push_back(std::move(*one));
  }
  return out;
}

} // namespace holdfast
