#pragma once

#include <holdfast/store/detail/named_member.hpp>
#include <holdfast/store/detail/typed_lists.hpp>
#include <holdfast/store/mapping.hpp>
#include <holdfast/store/selection.hpp>
#include <holdfast/store/typed_view.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace holdfast {

namespace detail {

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

/// What `select` gives of a record: the content of the one member, or a tuple.
template <class... Fields>
struct row_of {
  using type = std::tuple<typename named_member<Fields>::type...>;
};
template <class Field>
struct row_of<Field> {
  using type = typename named_member<Field>::type;
};

/// Reads the values of some fields into members, in order.
template <class... X>
void read_row(std::span<const value_view> from, const std::string_view* names, std::tuple<X...>& to,
              misfits& bad) {
  std::apply(
      [&](X&... each) {
        std::size_t i = 0;
        ((read_member(from[i], each, bad, place{.name = names[i]}), ++i), ...);
      },
      to);
}
template <class X>
void read_row(std::span<const value_view> from, const std::string_view* names, X& to,
              misfits& bad) {
  read_member(from[0], to, bad, place{.name = names[0]});
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

  /// A filter over members of another struct does not compile.
  typed_selection where(detail::filter_for<T> which) && {
    return typed_selection{std::move(plain_).where(std::move(which).plain())};
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

  /// Some members of each record, in order, without making structs: one as a list of its contents,
  /// more as a list of tuples.
  ///
  ///     auto who = users.where(f<&user::age> >= 18).select(f<&user::name>, f<&user::age>).get();
  ///     for (auto& [name, age] : *who)
  ///
  /// A member of another struct does not compile. A transaction depends on these members only.
  template <detail::member_in<T>... Fields>
  requires(sizeof...(Fields) > 0)
      pending<std::vector<typename detail::row_of<Fields...>::type>> select(
          const Fields&... members)
  const {
    const std::string_view names[] = {members.name...};
    std::vector<typename detail::row_of<Fields...>::type> rows;
    std::optional<error> failed;
    auto take = [&](value_view key, std::span<const value_view> contents) {
      typename detail::row_of<Fields...>::type row{};
      detail::misfits bad{mapping<T>.bucket};
      detail::read_row(contents, names, row, bad);
      if (!bad.empty())
        failed = bad.to_error(key.to_string());
      else
        rows.push_back(std::move(row));
      return !failed;
    };
    auto seen = selection{plain_}
                    .fields({field_name{members}...})
                    .visit_fields(detail::fields_visitor::of(take));
    using answer = result<decltype(rows)>;
    if (!seen || failed)
      return answer{fail(std::move(seen ? *failed : seen.error()))};
    return answer{std::move(rows)};
  }

  /// Calls `f(const typed_view<T>&)` for the records in order, without making structs; see
  /// `selection::visit`. `f` may also take a `record_view`. Error besides: `invalid` when a member
  /// is read that the record does not fit, which ends the visit.
  template <detail::looks_at<T> F>
  result<std::uint64_t> visit(F&& f) const {
    return detail::visit_typed<T, result<std::uint64_t>>(
        f, [this](auto& look) { return plain_.visit(look); });
  }
  result<explanation> explain() const { return plain_.explain(); }

  /// The same by field names.
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

} // namespace holdfast
