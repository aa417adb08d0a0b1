#pragma once

#include "blocks.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::testing {

/// A record of the tests: key, unique text, ordered text, ordered integer, ordered number. The
/// ordered text has an inverted index besides.
inline detail::bucket_layout five_slots() {
  using enum detail::index_kind;
  using enum detail::index_type;
  return {0,
          {{unique, 1, text},
           {ordered, 2, text},
           {ordered, 3, integer},
           {ordered, 4, number},
           {inverted, 2, part}}};
}

/// What a bucket should hold: rows in order of insertion, the row of each key.
struct model {
  std::map<std::uint64_t, cells> rows;
  std::map<std::string, std::uint64_t> keys;
  std::map<std::string, std::uint64_t> uniques;
  std::uint64_t next_row = 0;

  static const std::string& text(const cell& c) { return std::get<std::string>(c); }

  void insert(const cells& c) {
    keys[text(c[0])] = next_row;
    if (c[1].index() != 0)
      uniques[text(c[1])] = next_row;
    rows[next_row++] = c;
  }
  void erase(const std::string& key) {
    const auto row = keys.at(key);
    if (rows.at(row)[1].index() != 0)
      uniques.erase(text(rows.at(row)[1]));
    rows.erase(row);
    keys.erase(key);
  }
  void replace(const cells& c) {
    const auto row = keys.at(text(c[0]));
    if (rows.at(row)[1].index() != 0)
      uniques.erase(text(rows.at(row)[1]));
    if (c[1].index() != 0)
      uniques[text(c[1])] = row;
    rows[row] = c;
  }
  void clear() {
    rows.clear();
    keys.clear();
    uniques.clear();
  }
  /// Rows in the order of a slot's values.
  std::vector<std::uint64_t> ordered(std::size_t slot_number) const {
    std::vector<std::pair<detail::key_view, std::uint64_t>> found;
    for (const auto& [row, c] : rows)
      found.emplace_back(view_of(c[slot_number]), row);
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
      return detail::compare(a.first, b.first) < 0;
    });
    return rows_of(found);
  }
  /// Rows in the order of the parts of a slot's texts, once for each of them.
  std::vector<std::uint64_t> by_parts(std::size_t slot_number) const {
    constexpr std::size_t part = 8;
    std::vector<std::pair<std::array<unsigned char, part>, std::uint64_t>> found;
    for (const auto& [row, c] : rows)
      if (c[slot_number].index() != 0)
        for (std::string_view ending = text(c[slot_number]); !ending.empty();
             ending.remove_prefix(1)) {
          auto& [start, of] = found.emplace_back();
          std::copy_n(ending.begin(), std::min(part, ending.size()), start.begin());
          of = row;
        }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return rows_of(found);
  }

private:
  static std::vector<std::uint64_t> rows_of(const auto& found) {
    std::vector<std::uint64_t> out;
    for (const auto& [of, row] : found)
      out.push_back(row);
    return out;
  }
};

/// Checks everything a view can tell against the model; `keys` and `uniques` are all there can be.
inline void expect_equal(const detail::read_view& view, const model& m,
                         const std::vector<std::string>& keys,
                         const std::vector<std::string>& uniques) {
  ASSERT_EQ(view.count(), m.rows.size());
  std::vector<std::uint64_t> forward, backward, expected;
  for (const auto& [row, c] : m.rows)
    expected.push_back(row);
  view.for_each(0, [&](const detail::record_block& b) {
    forward.push_back(b.row);
    EXPECT_EQ(cells_of(b), m.rows.at(b.row));
    return true;
  });
  view.for_each_back(view.row_bound(), [&](const detail::record_block& b) {
    backward.push_back(b.row);
    return true;
  });
  ASSERT_EQ(forward, expected);
  std::reverse(backward.begin(), backward.end());
  ASSERT_EQ(backward, expected);
  for (std::uint64_t skip = 0; skip < expected.size() + 3; skip += 1 + expected.size() / 7) {
    const auto passed = std::min<std::uint64_t>(skip, expected.size());
    std::uint64_t left = skip;
    std::vector<std::uint64_t> rest;
    view.for_each(view.skip_rows(left), [&](const detail::record_block& b) {
      rest.push_back(b.row);
      return true;
    });
    ASSERT_EQ(left, skip - passed);
    ASSERT_EQ(rest, std::vector<std::uint64_t>(
                        expected.begin() + static_cast<std::ptrdiff_t>(passed), expected.end()));
  }
  for (const auto& k : keys) {
    const auto* b = view.find(std::string_view(k));
    const auto at = m.keys.find(k);
    ASSERT_EQ(b != nullptr, at != m.keys.end()) << k;
    if (b != nullptr) {
      ASSERT_EQ(b->row, at->second) << k;
    }
  }
  EXPECT_EQ(view.unique_size(0), m.uniques.size());
  for (const auto& u : uniques) {
    const auto* b = view.find_unique(0, detail::key_view(std::string_view(u)));
    const auto at = m.uniques.find(u);
    ASSERT_EQ(b != nullptr, at != m.uniques.end()) << u;
    if (b != nullptr) {
      ASSERT_EQ(b->row, at->second) << u;
    }
  }
  for (std::size_t index = 1; index < view.data().layout().indexes.size(); ++index) {
    const auto& spec = view.data().layout().indexes[index];
    const auto order = spec.type == detail::index_type::inverted ? m.by_parts(spec.slot_number)
                                                                 : m.ordered(spec.slot_number);
    std::vector<std::uint64_t> seen, reversed;
    view.for_ranks(index, 0, view.index_size(index), [&](const detail::record_block& b) {
      seen.push_back(b.row);
      return true;
    });
    ASSERT_EQ(seen, order) << "index " << index;
    view.for_ranks_back(index, 0, order.size(), [&](const detail::record_block& b) {
      reversed.push_back(b.row);
      return true;
    });
    std::reverse(reversed.begin(), reversed.end());
    ASSERT_EQ(reversed, order) << "index " << index;
  }
  std::vector<std::uint64_t> ending, deadlines;
  for (const auto row : m.ordered(3))
    if (deadline_of(m.rows.at(row)[3]) != 0)
      deadlines.push_back(row);
  view.for_deadlines(0, m.rows.size(), [&](const detail::record_block& b) {
    ending.push_back(b.row);
    return true;
  });
  ASSERT_EQ(ending, deadlines);
  ASSERT_EQ(view.expired_count(0), std::count_if(deadlines.begin(), deadlines.end(), [&](auto row) {
              return deadline_of(m.rows.at(row)[3]) < 0;
            }));
}

} // namespace holdfast::testing
