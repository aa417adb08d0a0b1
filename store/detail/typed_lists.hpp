#pragma once

#include <holdfast/store/aggregate.hpp>
#include <holdfast/store/detail/named_member.hpp>

#include <concepts>
#include <initializer_list>
#include <utility>
#include <vector>

/// Lists that a typed handle takes: in braces only what belongs to its struct, by name also what is
/// looked at when it is used.
namespace holdfast::detail {

template <class T>
struct listed_field {
  template <field_in<T> Field>
  listed_field(const Field& field) : name{field} {}
  field_name name;
};

/// Fields of `T`'s bucket: `{"role", f<&user::age>}`.
template <class T>
struct field_list {
  field_list(std::initializer_list<listed_field<T>> list) {
    for (auto& each : list)
      names.push_back(each.name);
  }
  field_list(std::vector<field_name> list) : names{std::move(list)} {}
  std::vector<field_name> names;
};

template <class T>
struct listed_aggregate {
  template <class A>
  requires(std::same_as<A, aggregate> || std::same_as<A, aggregate_of<T>>)
      listed_aggregate(const A& one)
      : what{one} {}
  aggregate what;
};

/// Aggregates over `T`'s bucket: `{aggregate::count(), aggregate::sum(f<&user::age>)}`.
template <class T>
struct aggregate_list {
  aggregate_list(std::initializer_list<listed_aggregate<T>> list) {
    for (auto& each : list)
      all.push_back(each.what);
  }
  aggregate_list(std::vector<aggregate> list) : all{std::move(list)} {}
  std::vector<aggregate> all;
};

} // namespace holdfast::detail
