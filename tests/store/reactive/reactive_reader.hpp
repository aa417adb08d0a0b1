#pragma once

#include <holdfast/store/store.hpp>

#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace holdfast::testing {

/// A bucket as a query reads it: through any handle, and, where there is a read filter, by asking
/// for less each time; that is apart from the store's own way of hiding what a filter hides.
class reactive_reader {
public:
  explicit reactive_reader(bucket<> of) : of_{std::move(of)} {}
  reactive_reader only(filter which) const {
    auto out = *this;
    out.only_ = std::move(which);
    return out;
  }

  pending<record> get(const value& key) const {
    return only_ ? with_key(key).find_one() : of_.get(key);
  }
  bool contains(const value& key) const {
    return only_ ? with_key(key).count().get().value_or(0) == 1 : of_.contains(key);
  }
  selection where(const filter& which) const { return of_.where(only_ ? *only_ && which : which); }
  pending<std::uint64_t> count(const filter& which) const {
    return only_ ? where(which).count() : of_.count(which);
  }
  pending<records> first(std::int64_t n) const {
    return only_ ? of_.where(*only_).first(n) : of_.first(n);
  }

private:
  selection with_key(const value& key) const {
    return where(filter::compare("id", filter::kind::eq, key));
  }
  bucket<> of_;
  std::optional<filter> only_;
};

/// The handle of a bucket in some view: in a query's context, or at a snapshot. Throws
/// `reactive_absence` if there is none of that name.
using reactive_view = std::function<reactive_reader(const std::string& name)>;

struct reactive_absence : std::exception {
  explicit reactive_absence(error e) : why{std::move(e)} {}
  const char* what() const noexcept override { return "no such bucket"; }
  error why;
};

inline reactive_reader reader_of(result<bucket<>> found) {
  if (!found)
    throw reactive_absence{std::move(found).error()};
  return reactive_reader{std::move(*found)};
}

/// The same view without what the filters hide.
inline reactive_view filtered(reactive_view in, const read_filters& by) {
  if (by.empty())
    return in;
  return [in = std::move(in), &by](const std::string& name) {
    const auto found = by.find(name);
    return found == by.end() ? in(name) : in(name).only(found->second);
  };
}

} // namespace holdfast::testing
