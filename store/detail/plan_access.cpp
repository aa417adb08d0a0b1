#include <holdfast/store/detail/plan_access.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace holdfast::detail {

namespace {

using kind = filter::kind;
using source = explanation::source;

constexpr std::uint64_t first_row = 0;
constexpr std::uint64_t behind_rows = ~std::uint64_t{0};

std::uint64_t total(std::span<const rank_range> ranges) noexcept {
  std::uint64_t sum = 0;
  for (const auto& r : ranges)
    sum += r.size();
  return sum;
}

/// Puts ranges in order, joins those that touch and leaves out the empty ones.
void tidy(std::vector<rank_range>& ranges) {
  std::erase_if(ranges, [](const rank_range& r) { return r.first >= r.last; });
  std::ranges::sort(ranges, {}, &rank_range::first);
  std::size_t kept = 0;
  for (const auto& r : ranges) {
    if (kept > 0 && r.first <= ranges[kept - 1].last)
      ranges[kept - 1].last = std::max(ranges[kept - 1].last, r.last);
    else
      ranges[kept++] = r;
  }
  ranges.resize(kept);
}

std::vector<rank_range> intersection(std::span<const rank_range> a, std::span<const rank_range> b) {
  std::vector<rank_range> out;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    rank_range r{std::max(a[i].first, b[j].first), std::min(a[i].last, b[j].last)};
    if (r.first < r.last)
      out.push_back(r);
    (a[i].last < b[j].last ? i : j)++;
  }
  return out;
}

/// What of `all` is in none of the ranges, which lie in it and are tidy.
std::vector<rank_range> complement(std::span<const rank_range> ranges, rank_range all) {
  std::vector<rank_range> out;
  for (const auto& r : ranges) {
    if (all.first < r.first)
      out.push_back({all.first, r.first});
    all.first = r.last;
  }
  if (all.first < all.last)
    out.push_back(all);
  return out;
}

/// The least text that is above every text with this prefix; nothing if there is none.
std::optional<std::string> behind_prefix(std::string_view prefix) {
  std::string out{prefix};
  while (!out.empty() && static_cast<unsigned char>(out.back()) == 0xff)
    out.pop_back();
  if (out.empty())
    return std::nullopt;
  out.back() = static_cast<char>(static_cast<unsigned char>(out.back()) + 1);
  return out;
}

/// Rank ranges of one ordered index for one comparison of the field behind some that are equal to
/// given values. Null is the first of all values, and apart from null an index holds one family of
/// values: the operands were checked against the field's type. What a negation matches is the rest
/// of those entries, those of null included.
class ranger {
public:
  ranger(const reader& from, std::uint32_t index, const leading_values& equal = {})
      : from_{from}, index_{index}, equal_{equal} {}

  /// Whether an index can answer the comparison; the ranges are then those of exactly the matches.
  static bool can(const bound_node& n) noexcept {
    return n.field.path.empty() && n.op != kind::contains && n.op != kind::ends_with;
  }

  std::vector<rank_range> of(const bound_node& n) const {
    std::vector<rank_range> out;
    if (n.op == kind::in) {
      out.reserve(n.operands.size());
      for (const auto& x : n.operands)
        out.push_back(equal(x));
    } else if (n.op == kind::ne) {
      out.push_back({after({}), before(n.operands[0])});
      out.push_back({after(n.operands[0]), end()});
    } else {
      out.push_back(single(n));
    }
    tidy(out);
    return n.negated ? complement(out, all()) : out;
  }

  /// The entries with the given values, whatever is behind them.
  rank_range all() const { return {begin(), end()}; }

private:
  rank_range single(const bound_node& n) const {
    switch (n.op) {
    case kind::eq:
      return equal(n.operands[0]);
    case kind::lt:
      return {after({}), before(n.operands[0])};
    case kind::le:
      return {after({}), after(n.operands[0])};
    case kind::gt:
      return {after(n.operands[0]), end()};
    case kind::ge:
      return {before(n.operands[0]), end()};
    case kind::between:
      return {before(n.operands[0]), after(n.operands[1])};
    case kind::is_null:
      return {begin(), after({})};
    case kind::exists:
      return {after({}), end()};
    case kind::starts_with: {
      auto prefix = n.operands[0].as_string();
      auto bound = behind_prefix(prefix);
      return {before(std::string_view{prefix}), bound ? before(std::string_view{*bound}) : end()};
    }
    default:
      return all();
    }
  }
  rank_range equal(value_view x) const { return {before(x), after(x)}; }
  std::uint64_t before(value_view x) const { return rank(x, first_row); }
  std::uint64_t after(value_view x) const { return rank(x, behind_rows); }
  std::uint64_t begin() const {
    return equal_.size() == 0 ? 0 : from_.rank(index_, equal_.all(), first_row);
  }
  std::uint64_t end() const {
    return equal_.size() == 0 ? from_.entries(index_)
                              : from_.rank(index_, equal_.all(), behind_rows);
  }
  std::uint64_t rank(value_view x, std::uint64_t row) const {
    if (equal_.size() == 0)
      return from_.rank(index_, x, row);
    auto at = equal_;
    at.add(x);
    return from_.rank(index_, at.all(), row);
  }

  const reader& from_;
  std::uint32_t index_;
  leading_values equal_;
};

class finder {
public:
  finder(const reader& from, std::span<const bound_node> nodes) : from_{from}, nodes_{nodes} {}

  std::vector<candidate> of(std::uint32_t at) const {
    const auto& n = nodes_[at];
    std::vector<candidate> out;
    if (n.op == kind::any_of) {
      if (auto one = disjunction(at))
        out.push_back(std::move(*one));
      return out;
    }
    if (n.op == kind::all_of)
      out = conjunction(at);
    else if (auto one = comparison(at))
      out.push_back(std::move(*one));
    for (std::uint32_t i = 0; i < from_.indexes().size(); ++i)
      if (!from_.indexes()[i].more_slots.empty())
        if (auto one = several(at, i))
          out.push_back(std::move(*one));
    return out;
  }

private:
  /// The way through an inverted index that has the fewest entries; all of them are to be checked.
  std::optional<candidate> through_parts(const bound_node& n) const {
    const auto index = from_.inverted_index(n.field.slot);
    if (!index)
      return std::nullopt;
    std::optional<rank_range> fewest;
    for (const auto& each : ranges_of(n, from_.layout().type(n.field.slot))) {
      const rank_range found{from_.rank_before(*index, each.first),
                             from_.rank_behind(*index, each.last)};
      if (!fewest || found.size() < fewest->size())
        fewest = found;
    }
    if (!fewest)
      return std::nullopt;
    access by{
        .from = source::inverted_index,
        .slot = n.field.slot,
        .index = *index,
        .values = {},
        .ranges = {*fewest,
                   {from_.rank_before(*index, unparted), from_.rank_behind(*index, unparted)}}};
    tidy(by.ranges);
    by.rows = std::min(total(by.ranges), from_.size()); // some may come more than once
    candidate out{.parts = {}, .rows = by.rows, .answered = {}};
    out.parts.push_back(std::move(by));
    return out;
  }

  std::optional<candidate> comparison(std::uint32_t at) const {
    const auto& n = nodes_[at];
    if (!ranger::can(n))
      return through_parts(n);
    bool equality = !n.negated && (n.op == kind::eq || n.op == kind::in);
    bool null_asked = std::ranges::any_of(n.operands, &value::is_null);
    auto slot = n.field.slot;
    access out{.slot = slot, .values = n.operands, .ranges = {}};
    if (equality && slot == from_.layout().key_slot()) {
      out.from = source::primary_key;
    } else if (auto unique = from_.unique_index(slot); unique && equality && !null_asked) {
      out.from = source::unique_index;
      out.index = *unique;
    } else if (auto ordered = from_.ordered_index(slot)) {
      out.from = source::index;
      out.index = *ordered;
      out.ranges = ranger{from_, *ordered}.of(n);
      out.one_value = is_equality(n);
      if (out.one_value)
        out.equal.add(value_of(n));
    } else {
      return std::nullopt;
    }
    out.rows = out.from == source::index ? total(out.ranges) : n.operands.size();
    candidate c{.parts = {}, .rows = out.rows, .answered = {at}};
    c.parts.push_back(std::move(out));
    return c;
  }

  static bool is_equality(const bound_node& n) noexcept {
    return !n.negated && (n.op == kind::eq || n.op == kind::is_null);
  }
  static value_view value_of(const bound_node& n) noexcept {
    return n.op == kind::is_null ? value_view{} : value_view{n.operands[0]};
  }

  /// Calls `f(position)` for a comparison itself, or for those that a conjunction is made of.
  template <class F>
  void each_leaf(std::uint32_t at, F&& f) const {
    if (nodes_[at].is_leaf())
      return f(at);
    for (auto i = at + 1; i < nodes_[at].end; i = nodes_[i].end)
      if (nodes_[i].is_leaf())
        f(i);
  }

  /// What an index over several fields answers of a comparison or conjunction: equality with its
  /// first fields, and whatever is said about the next one.
  std::optional<candidate> several(std::uint32_t at, std::uint32_t index) const {
    const auto& spec = from_.indexes()[index];
    candidate out;
    access by{.from = source::index, .index = index, .values = {}, .ranges = {}};
    auto slot_of = [&](std::size_t i) {
      return i == 0 ? spec.slot_number : spec.more_slots[i - 1];
    };
    while (by.equal.size() < spec.size()) {
      std::optional<std::uint32_t> found;
      each_leaf(at, [&](std::uint32_t i) {
        const auto& n = nodes_[i];
        if (!found && is_equality(n) && n.field.path.empty() &&
            n.field.slot == slot_of(by.equal.size()))
          found = i;
      });
      if (!found)
        break;
      by.equal.add(value_of(nodes_[*found]));
      out.answered.push_back(*found);
    }
    by.one_value = by.equal.size() == spec.size();
    by.fixes_all_but_last = by.equal.size() + 1 == spec.size();
    ranger ranges{from_, index, by.equal};
    by.ranges.push_back(ranges.all());
    if (!by.one_value)
      each_leaf(at, [&](std::uint32_t i) {
        const auto& n = nodes_[i];
        if (!ranger::can(n) || n.field.slot != slot_of(by.equal.size()))
          return;
        by.ranges = intersection(by.ranges, ranges.of(n));
        out.answered.push_back(i);
      });
    if (out.answered.empty())
      return std::nullopt;
    tidy(by.ranges);
    by.rows = out.rows = total(by.ranges);
    out.parts.push_back(std::move(by));
    return out;
  }

  /// Each term's ways; those on one index become one.
  std::vector<candidate> conjunction(std::uint32_t at) const {
    std::vector<candidate> out;
    for (auto i = at + 1; i < nodes_[at].end; i = nodes_[i].end) {
      auto next = nodes_[i].is_leaf() ? comparison(i) : disjunction(i);
      if (!next)
        continue;
      auto* range = next->ranged();
      auto same = std::ranges::find_if(out, [&](const candidate& c) {
        return range && c.ranged() && c.ranged()->index == range->index;
      });
      if (same == out.end())
        out.push_back(std::move(*next));
      else
        narrow(*same, *next);
    }
    return out;
  }

  static void narrow(candidate& c, const candidate& by) {
    auto& a = c.parts[0];
    a.ranges = intersection(a.ranges, by.parts[0].ranges);
    if (!a.one_value) {
      a.one_value = by.parts[0].one_value;
      a.equal = by.parts[0].equal;
    }
    a.rows = c.rows = total(a.ranges);
    c.answered.insert(c.answered.end(), by.answered.begin(), by.answered.end());
  }

  /// All terms must have a way; parts on one index become one.
  std::optional<candidate> disjunction(std::uint32_t at) const {
    candidate out;
    bool exact = true;
    for (auto i = at + 1; i < nodes_[at].end; i = nodes_[i].end) {
      auto ways = of(i);
      if (ways.empty())
        return std::nullopt;
      auto best = std::ranges::min_element(ways, {}, &candidate::rows);
      exact = exact && answers(*best, i);
      for (auto& part : best->parts)
        unite(out.parts, std::move(part));
    }
    for (const auto& part : out.parts)
      out.rows += part.rows;
    if (exact)
      out.answered.push_back(at);
    return out;
  }

  /// Whether a candidate leaves nothing of a node to be checked.
  bool answers(const candidate& c, std::uint32_t at) const {
    if (nodes_[at].op != kind::all_of)
      return std::ranges::find(c.answered, at) != c.answered.end();
    for (auto i = at + 1; i < nodes_[at].end; i = nodes_[i].end)
      if (std::ranges::find(c.answered, i) == c.answered.end())
        return false;
    return true;
  }

  static void unite(std::vector<access>& parts, access part) {
    auto same = std::ranges::find_if(parts, [&](const access& a) {
      return a.from == source::index && part.from == source::index && a.index == part.index;
    });
    if (same == parts.end())
      return parts.push_back(std::move(part));
    same->ranges.insert(same->ranges.end(), part.ranges.begin(), part.ranges.end());
    tidy(same->ranges);
    same->one_value = same->fixes_all_but_last = false;
    same->equal.clear();
    same->rows = total(same->ranges);
  }

  const reader& from_;
  std::span<const bound_node> nodes_;
};

} // namespace

std::vector<candidate> find_candidates(const reader& from, std::span<const bound_node> nodes) {
  if (nodes.empty())
    return {};
  return finder{from, nodes}.of(0);
}

} // namespace holdfast::detail
