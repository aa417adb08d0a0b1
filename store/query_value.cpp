#include <holdfast/store/query_value.hpp>

#include <algorithm>
#include <map>
#include <optional>

namespace holdfast {
namespace detail {

bool same_record(const record& a, const record& b) {
  if (a.block() == b.block())
    return true;
  if (!a || !b || a.version() != b.version() || a.updated_at() != b.updated_at() ||
      a.created_at() != b.created_at() || a.expires_at() != b.expires_at())
    return false;
  return a.to_object() == b.to_object();
}

bool result_rules<query_list>::same(const query_list& a, const query_list& b) {
  if (a.items.size() != b.items.size() || a.objects.size() != b.objects.size())
    return false;
  for (std::size_t i = 0; i < a.items.size(); ++i) {
    if (a.objects.empty() && a.items[i].block() == b.items[i].block())
      continue; // looks at no record: most are the same
    if (a.items[i].key() != b.items[i].key() || !same_item(a, i, b, i))
      return false;
  }
  return true;
}

/// What the query names counts, and nothing else of the record.
bool result_rules<query_list>::same_item(const query_list& a, std::size_t i, const query_list& b,
                                         std::size_t j) {
  return a.objects.empty() ? same_record(a.items[i], b.items[j]) : a.objects[i] == b.objects[j];
}

namespace {

/// Takes out of `steps`, which are in order of `after`, a longest part that is also in order of
/// `before`; the rest has moved.
std::vector<list_changes::step> moved_of(const std::vector<list_changes::step>& steps) {
  constexpr auto none = static_cast<std::size_t>(-1);
  std::vector<std::size_t> ends; // of the best part of each length, the step that ends lowest
  std::vector<std::size_t> previous(steps.size(), none);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    auto at = std::ranges::lower_bound(ends, steps[i].before, {},
                                       [&](std::size_t e) { return steps[e].before; });
    if (at != ends.begin())
      previous[i] = *std::prev(at);
    if (at == ends.end())
      ends.push_back(i);
    else
      *at = i;
  }
  std::vector<bool> stays(steps.size());
  for (auto i = ends.empty() ? none : ends.back(); i != none; i = previous[i])
    stays[i] = true;
  std::vector<list_changes::step> out;
  for (std::size_t i = 0; i < steps.size(); ++i)
    if (!stays[i])
      out.push_back(steps[i]);
  return out;
}

} // namespace

list_changes compare_lists(const std::vector<value>& before, const std::vector<value>& after,
                           const std::function<bool(std::size_t, std::size_t)>& same) {
  list_changes out;
  std::multimap<value, std::size_t> old; // equal keys in order of place
  for (std::size_t i = 0; i < before.size(); ++i)
    old.emplace(before[i], i);
  std::vector<list_changes::step> stayed;
  for (std::size_t j = 0; j < after.size(); ++j) {
    auto found = old.lower_bound(after[j]);
    if (found == old.end() || found->first != after[j]) {
      out.added.push_back(j);
      continue;
    }
    stayed.push_back({found->second, j});
    if (!same(found->second, j))
      out.changed.push_back({found->second, j});
    old.erase(found);
  }
  for (auto& [key, i] : old)
    out.removed.push_back(i);
  std::ranges::sort(out.removed);
  out.moved = moved_of(stayed);
  return out;
}

} // namespace detail

list_changes query_value::since(const query_value& before) const {
  if (!held_ || !before.held_ || held_->type() != before.held_->type())
    return {};
  return held_->since(before.held_.get());
}
list_changes query_value::since_nothing() const {
  return held_ ? held_->since(nullptr) : list_changes{};
}

bool operator==(const query_value& a, const query_value& b) {
  if (a.held_ == b.held_)
    return true;
  return a.held_ && b.held_ && a.held_->type() == b.held_->type() && a.held_->same(*b.held_);
}

} // namespace holdfast
