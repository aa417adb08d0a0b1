#include <holdfast/store/detail/plan_access.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

namespace holdfast::detail {

namespace {

using source = explanation::source;
using ordering = explanation::ordering;

/// Costs count records read in order of rows. Reading them in order of values misses more caches,
/// and so does sorting them by a field.
constexpr double scattered_read = 1.3;
/// Sorting a record once it was read: choosing the first ones, and then for each halving of those.
constexpr double choosing = 0.3;
constexpr double sorting_per_level = 0.15;
/// Backwards, every value is looked up, since records of equal value are still given in order of
/// rows.
constexpr double backward_read = 4;
/// The part of the records that a comparison without an index is taken to keep.
constexpr double kept_per_term = 0.5;
/// Scans keep going through memory that look-ups jump about in.
constexpr double scan_read = 0.7;

/// One complete way to answer the query.
struct way {
  const candidate* by = nullptr; ///< null: a scan, or a walk of a whole index
  bool walks = false;            ///< in the order of the order field's index
  bool sorts = false;
  double cost = 0;
};

class chooser {
public:
  chooser(const reader& from, const matcher& all, const order_spec& order, const plan_goal& goal,
          const std::vector<candidate>& candidates)
      : all_{all}, order_{order}, goal_{goal}, candidates_{candidates} {
    if (!goal.any_order && !order.by_row() && !from.own())
      find_order_index(from);
    total_ = static_cast<double>(from.size());
    matching_ = total_ * std::pow(kept_per_term, terms_left(nullptr));
    for (const auto& c : candidates)
      matching_ = std::min(matching_, output_of(c));
  }

  std::size_t walk_term() const noexcept { return walk_term_; }
  /// The index that a walk follows.
  std::uint32_t index_of(const way& w) const noexcept {
    return w.by ? w.by->parts[0].index : *order_index_;
  }

  way best() const {
    way out = scan();
    auto consider = [&](way w) {
      if (w.cost < out.cost)
        out = w;
    };
    if (order_index_)
      consider(walk(nullptr));
    for (const auto& c : candidates_) {
      consider(read(c));
      if (is_in_order(c))
        consider(walk(&c));
    }
    return out;
  }

private:
  /// An index gives the order if it is by one term, not counting those by fields that the filter
  /// holds fast.
  void find_order_index(const reader& from) {
    const auto& terms = order_.terms;
    while (walk_term_ + 1 < terms.size() && is_fixed(terms[walk_term_].field))
      ++walk_term_;
    if (walk_term_ + 1 != terms.size() || !terms.back().field.path.empty())
      return;
    order_index_ = from.ordered_index(terms.back().field.slot);
    for (std::uint32_t i = 0; i < from.indexes().size(); ++i) {
      const auto& more = from.indexes()[i].more_slots;
      if (!more.empty() && more.back() == terms.back().field.slot)
        several_.push_back(i);
    }
  }
  /// Whether what a candidate reads of an index stands in the order.
  bool is_in_order(const candidate& c) const {
    const auto* by = c.ranged();
    if (!by)
      return false;
    return (order_index_ && by->index == *order_index_) ||
           (std::ranges::find(several_, by->index) != several_.end() && by->fixes_all_but_last);
  }
  bool is_fixed(const bound_field& field) const {
    auto nodes = all_.nodes();
    auto fixes = [&](const bound_node& n) {
      return n.op == filter::kind::eq && !n.negated && n.field.slot == field.slot &&
             n.field.path.empty() && field.path.empty();
    };
    if (nodes.empty() || nodes[0].is_leaf())
      return !nodes.empty() && fixes(nodes[0]);
    if (nodes[0].op != filter::kind::all_of)
      return false;
    for (std::uint32_t i = 1; i < nodes[0].end; i = nodes[i].end)
      if (fixes(nodes[i]))
        return true;
    return false;
  }

  /// Terms of the top conjunction that a candidate leaves to be checked.
  double terms_left(const candidate* c) const {
    auto nodes = all_.nodes();
    if (nodes.empty())
      return 0;
    auto answered = c ? c->answered.size() : 0;
    if (nodes[0].op != filter::kind::all_of)
      return answered > 0 ? 0 : 1;
    std::size_t terms = 0;
    for (std::uint32_t i = 1; i < nodes[0].end; i = nodes[i].end)
      ++terms;
    return static_cast<double>(terms - std::min(terms, answered));
  }

  double output_of(const candidate& c) const {
    return static_cast<double>(c.rows) * std::pow(kept_per_term, terms_left(&c));
  }

  /// How many of `rows` records are read until enough of them match.
  double read_until_enough(double rows) const {
    if (goal_.needed == query::unlimited)
      return rows;
    auto needed = static_cast<double>(goal_.needed);
    return std::min(rows, needed * std::max(1.0, rows / std::max(1.0, matching_)));
  }

  double sort(double rows) const {
    auto kept = std::min(rows, static_cast<double>(goal_.needed));
    return rows * (choosing + sorting_per_level * std::log2(kept + 1));
  }

  /// Whether the ranges alone say how many records match.
  bool covers(const candidate& c) const { return c.ranged() && terms_left(&c) == 0; }

  bool stored_order() const { return goal_.any_order || order_.by_row(); }

  way scan() const {
    if (stored_order())
      return {nullptr, false, false, scan_read * read_until_enough(total_)};
    return {nullptr, false, true, scan_read * total_ + sort(matching_)};
  }

  way walk(const candidate* c) const {
    auto rows = c ? static_cast<double>(c->rows) : total_;
    auto read = order_.terms[walk_term_].descending ? backward_read : scattered_read;
    return {c, true, false, read * read_until_enough(rows)};
  }

  way read(const candidate& c) const {
    auto rows = static_cast<double>(c.rows);
    if (goal_.counting && covers(c))
      return {&c, false, false, 0};
    // Unions and what parts lead to are read to the end and put in order of rows.
    const bool whole = c.parts.size() > 1 || c.parts[0].from == source::inverted_index;
    bool single = !whole && (c.parts[0].one_value || c.rows <= 1);
    const auto each = single || !c.ranged() ? 1 : scattered_read;
    if ((goal_.any_order && !whole) || (stored_order() && single))
      return {&c, false, false, each * (goal_.from_end ? rows : read_until_enough(rows))};
    // So are lists of keys, to find what comes twice.
    if (stored_order() && !(c.ranged() && c.parts[0].ranges.size() > 0))
      return {&c, false, false, rows + sort(rows)};
    return {&c, false, true, rows + sort(output_of(c))};
  }

  const matcher& all_;
  const order_spec& order_;
  const plan_goal& goal_;
  const std::vector<candidate>& candidates_;
  std::optional<std::uint32_t> order_index_;
  std::size_t walk_term_ = 0;
  std::vector<std::uint32_t> several_; ///< indexes over several fields, the last that of the order
  double total_ = 0;
  double matching_ = 0;
};

/// What the answered nodes say, as text.
std::string text_of(std::span<const bound_node> nodes, std::span<const std::uint32_t> answered) {
  std::string out;
  for (auto i : answered) {
    if (!out.empty())
      out += " and ";
    out += nodes[i].origin->to_string();
  }
  return out;
}

void take(plan& out, candidate c, bool texts) {
  std::ranges::sort(c.answered);
  if (texts)
    out.condition = text_of(out.residual.nodes(), c.answered);
  out.residual.drop(c.answered);
  out.parts = std::move(c.parts);
  out.rows = c.rows;
}

} // namespace

result<plan> make_plan(const reader& from, const filter& which, const order_spec& order,
                       const plan_goal& goal) {
  auto bound = matcher::bind(which, from.layout());
  if (!bound)
    return fail(std::move(bound.error()));
  plan out;
  out.order = order;
  out.residual = std::move(*bound);
  out.rows = from.size();
  auto candidates = find_candidates(from, out.residual.nodes());
  if (from.own())
    if (auto whole = matcher::bind(which, from.layout()))
      out.of_own.emplace(std::move(*whole));
  auto empty = std::ranges::find(candidates, std::uint64_t{0}, &candidate::rows);
  if (empty != candidates.end() && !out.of_own) {
    out.nothing = true;
    take(out, std::move(*empty), goal.texts);
    out.parts.clear();
    return out;
  }
  chooser ways{from, out.residual, order, goal, candidates};
  auto chosen = ways.best();
  if (chosen.walks) {
    out.ordering = ordering::index;
    out.walk = ways.index_of(chosen);
    out.walk_term = ways.walk_term();
    if (chosen.by && !from.indexes()[out.walk].more_slots.empty())
      out.walk_values = chosen.by->parts[0].equal;
  } else if (chosen.sorts || (out.of_own && chosen.by && !goal.any_order)) {
    out.ordering = ordering::sorted;
  }
  if (chosen.by)
    take(out, std::move(candidates[static_cast<std::size_t>(chosen.by - candidates.data())]),
         goal.texts);
  return out;
}

result<order_spec> bind_order(const record_layout& layout, bool key_ordered, const query& q) {
  const auto most_terms = layout.limits().order_terms;
  order_spec out;
  if (q.order().empty() && key_ordered)
    out.terms.push_back({{static_cast<std::uint16_t>(layout.key_slot()), {}}, false});
  if (q.order().size() > most_terms)
    return fail(errc::invalid_argument,
                layout.bucket() + ": an order of " + std::to_string(q.order().size()) +
                    " terms is above the limit " + std::to_string(most_terms),
                {layout.bucket(), {}, {}});
  for (const auto& [name, way] : q.order()) {
    auto field = find_field(layout, name);
    if (!field)
      return fail(std::move(field.error()));
    auto type = layout.type(field->slot);
    if (field->path.empty() && (type == field_type::array || type == field_type::object))
      return fail(errc::invalid_argument,
                  layout.bucket() + "." + name + ": order_by needs a field with an order, not " +
                      std::string{to_string(type)},
                  {layout.bucket(), {}, name});
    out.terms.push_back({*field, way == direction::descending});
  }
  return out;
}

} // namespace holdfast::detail
