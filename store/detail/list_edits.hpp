#pragma once

#include <holdfast/store/record.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

/// What lists of records are edited with.
namespace holdfast::detail {

/// Blocks are immutable but for their atomics, the reference count among them.
inline record handle_to(const record_block* block) {
  return block ? record::share(const_cast<record_block*>(block)) : record{};
}

template <class List>
auto at(List& in, std::size_t i) {
  return in.begin() + static_cast<std::ptrdiff_t>(i);
}

template <class T>
void move_item(std::vector<T>& in, std::size_t from, std::size_t to) {
  if (from < to)
    std::rotate(at(in, from), at(in, from + 1), at(in, to + 1));
  else
    std::rotate(at(in, to), at(in, from), at(in, from + 1));
}

/// Those from place `first` up to `last`, as far as there are some.
inline std::vector<record> cut_out(const std::vector<record>& from, std::uint64_t first,
                                   std::uint64_t last) {
  const auto place = [&](std::uint64_t n) {
    return at(from, static_cast<std::size_t>(std::min<std::uint64_t>(n, from.size())));
  };
  return {place(first), place(std::max(first, last))};
}

} // namespace holdfast::detail
