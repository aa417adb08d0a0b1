#pragma once

#include <holdfast/store/query_value.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace holdfast {

/// What became of a list between two of its values, as structs: each in the order of the places
/// that `list_changes` gives.
template <mapped T>
struct typed_list_changes {
  struct step {
    T before;
    T after;
  };
  std::vector<T> removed = {};    ///< as they were
  std::vector<T> added = {};      ///< as they are
  std::vector<step> changed = {}; ///< have other content
  std::vector<T> moved = {};      ///< as they are; stand elsewhere among those that stayed

  bool empty() const noexcept {
    return removed.empty() && added.empty() && changed.empty() && moved.empty();
  }
};

namespace detail {

inline std::vector<std::size_t> places(const std::vector<list_changes::step>& steps,
                                       std::size_t list_changes::step::*which) {
  std::vector<std::size_t> out;
  for (auto& each : steps)
    out.push_back(each.*which);
  return out;
}

/// `before` may be null: an empty list.
template <mapped T>
result<typed_list_changes<T>> typed_changes(const query_value* before, const query_value& after,
                                            const list_changes& steps) {
  const query_value empty = query_value::of(std::vector<T>{});
  const auto& old = before ? *before : empty;
  auto removed = old.list<T>(steps.removed);
  auto added = after.list<T>(steps.added);
  auto was = old.list<T>(places(steps.changed, &list_changes::step::before));
  auto is = after.list<T>(places(steps.changed, &list_changes::step::after));
  auto moved = after.list<T>(places(steps.moved, &list_changes::step::after));
  for (auto* part : {&removed, &added, &was, &is, &moved})
    if (!*part)
      return fail(std::move(part->error()));
  typed_list_changes<T> out{.removed = std::move(*removed),
                            .added = std::move(*added),
                            .changed = {},
                            .moved = std::move(*moved)};
  for (std::size_t i = 0; i < was->size(); ++i)
    out.changed.push_back({std::move((*was)[i]), std::move((*is)[i])});
  return out;
}

} // namespace detail
} // namespace holdfast
