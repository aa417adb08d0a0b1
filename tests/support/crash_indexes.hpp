#pragma once

#include <holdfast/store/bucket.hpp>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace holdfast::testing {

/// Where the answers of a bucket's indexes differ from what its records say; empty if nowhere.
/// `indexed`, `unique` and `inverted` name fields with such an index, the last ones texts.
/// O(records x fields), of texts O(records x different endings), so for small buckets.
inline std::vector<std::string> index_disagreements(const bucket<>& b,
                                                    const std::vector<std::string>& indexed,
                                                    const std::vector<std::string>& unique,
                                                    const std::vector<std::string>& inverted) {
  std::vector<std::string> out;
  auto differs = [&](const std::string& what) { out.push_back(b.name() + ": " + what); };
  auto is = [](const result<std::uint64_t>& n, std::size_t wanted) { return n && *n == wanted; };
  auto all = b.all().get();
  if (!all)
    return {all.error().to_string()};
  if (!is(b.count().get(), all->size()))
    differs("count() is not the number of records");
  auto keys = [](const records& list) {
    std::vector<std::string> k;
    for (auto& r : list)
      k.push_back(r.key().to_string());
    return k;
  };
  for (auto& r : *all) {
    auto same = b.get(r.key()).get();
    if (!same || same->block() != r.block())
      differs("get(" + r.key().to_string() + ") gives another record than all()");
  }
  for (auto& field : indexed) {
    std::map<value, records> groups;
    for (auto& r : *all)
      groups[r[field].materialize()].push_back(r);
    records in_order;
    for (auto& [v, members] : groups) {
      auto by = v.is_null() ? filter::is_null(field) : filter::compare(field, filter::kind::eq, v);
      auto found = b.where(by).all().get();
      if (!found || keys(*found) != keys(members))
        differs(by.to_string() + ": the index finds other records than a scan");
      if (!is(b.count(by).get(), members.size()))
        differs(by.to_string() + ": count differs");
      if (!v.is_null())
        in_order.insert(in_order.end(), members.begin(), members.end());
    }
    auto& nulls = groups[value{}]; // they come last
    in_order.insert(in_order.end(), nulls.begin(), nulls.end());
    auto ordered = b.everything().order_by(field).all().get();
    if (!ordered || keys(*ordered) != keys(in_order))
      differs("order_by " + field + ": another order than by value and insertion");
  }
  for (auto& field : unique)
    for (auto& r : *all) {
      if (r[field].is_null())
        continue;
      auto by = filter::compare(field, filter::kind::eq, r[field].materialize());
      auto found = b.where(by).all().get();
      if (!found || found->size() != 1 || found->front().block() != r.block())
        differs(by.to_string() + ": the unique index finds something else");
    }
  for (auto& field : inverted) {
    std::set<std::string> endings;
    for (auto& r : *all)
      if (!r[field].is_null())
        endings.emplace(r[field].as_string().substr(r[field].as_string().size() / 2));
    for (auto& ending : endings) {
      records same;
      std::ranges::copy_if(*all, std::back_inserter(same), [&](const record& other) {
        return !other[field].is_null() && other[field].as_string().ends_with(ending);
      });
      auto found = b.where(filter::ends_with(field, ending)).all().get();
      if (!found || keys(*found) != keys(same))
        differs(field + " ends with " + ending + ": the inverted index finds other records");
    }
  }
  return out;
}

} // namespace holdfast::testing
