#pragma once

#include <holdfast/store/filter.hpp>

#include <concepts>
#include <utility>

namespace holdfast {

/// A filter over members of the struct `T`: what `f<&T::age> >= 18` gives, so that the handle of
/// another struct's bucket does not take it. Joined with a plain filter by `&&` or `||` it is still
/// one of `T`; with one of another struct it does not compile. Where C++ wants one type, as between
/// `?` and `:`, `filter{x}` makes it a plain one.
template <class T>
struct typed_filter : filter {
  typed_filter() = default;
  explicit typed_filter(filter plain) : filter{std::move(plain)} {}

  friend typed_filter operator!(typed_filter a) { return typed_filter{!as_plain(a)}; }
  friend typed_filter operator&&(typed_filter a, typed_filter b) {
    return typed_filter{as_plain(a) && as_plain(b)};
  }
  friend typed_filter operator&&(typed_filter a, filter b) {
    return typed_filter{as_plain(a) && std::move(b)};
  }
  friend typed_filter operator&&(filter a, typed_filter b) {
    return typed_filter{std::move(a) && as_plain(b)};
  }
  friend typed_filter operator||(typed_filter a, typed_filter b) {
    return typed_filter{as_plain(a) || as_plain(b)};
  }
  friend typed_filter operator||(typed_filter a, filter b) {
    return typed_filter{as_plain(a) || std::move(b)};
  }
  friend typed_filter operator||(filter a, typed_filter b) {
    return typed_filter{std::move(a) || as_plain(b)};
  }

private:
  static filter as_plain(filter& of) { return std::move(of); }
};

template <class T, class U>
requires(!std::same_as<T, U>) filter operator&&(const typed_filter<T>&,
                                                const typed_filter<U>&) = delete;
template <class T, class U>
requires(!std::same_as<T, U>) filter operator||(const typed_filter<T>&,
                                                const typed_filter<U>&) = delete;

namespace detail {

/// What a handle of `T` takes: a plain filter, which is looked at when it is used, or one over
/// members of `T`.
template <class T>
class filter_for {
public:
  filter_for() = default;
  filter_for(filter which) : which_{std::move(which)} {}
  template <class U>
  requires(!std::same_as<T, U>) filter_for(const typed_filter<U>&)
  = delete;

  filter plain() && { return std::move(which_); }

private:
  filter which_;
};

template <class T>
struct filter_over {
  using type = typed_filter<T>;
};
template <>
struct filter_over<void> {
  using type = filter;
};

} // namespace detail
} // namespace holdfast
