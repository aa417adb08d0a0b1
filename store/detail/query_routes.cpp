#include <holdfast/store/detail/query_routes.hpp>

#include <holdfast/store/detail/filter_intervals.hpp>
#include <holdfast/store/detail/reader.hpp>

#include <algorithm>

namespace holdfast::detail {

namespace {
/// Values that one comparison may be looked up by; with more, other ways lead to the query.
constexpr std::size_t most_values = 16;
} // namespace

/// Equal values have equal hashes; arrays and objects, which are rare here, have one in common.
std::uint64_t query_routes::hash_of_value(value_view x) noexcept { return hash_of(probe_of(x)); }

bool query_routes::is_equality(const bound_node& node) noexcept {
  if (node.negated)
    return false;
  return node.op == filter::kind::eq || node.op == filter::kind::is_null ||
         (node.op == filter::kind::in && node.operands.size() <= most_values);
}

/// A comparison without which nothing matches: the filter itself, or a term of its conjunction.
/// One with `==` if there is one, since it is the narrowest.
const bound_node* query_routes::comparison_in(const matcher& filter) noexcept {
  auto nodes = filter.nodes();
  if (nodes.empty())
    return nullptr;
  if (nodes[0].is_leaf())
    return is_equality(nodes[0]) ? &nodes[0] : nullptr;
  if (nodes[0].op != filter::kind::all_of)
    return nullptr;
  const bound_node* best = nullptr;
  for (std::uint32_t i = 1; i < nodes[0].end; i = nodes[i].end)
    if (nodes[i].is_leaf() && is_equality(nodes[i]) &&
        (!best || (best->op != filter::kind::eq && nodes[i].op == filter::kind::eq)))
      best = &nodes[i];
  return best;
}

/// The values up to where a walk over an order ended. Null is the first of all values, but records
/// without a value stand last in both directions.
std::vector<value_interval> query_routes::walked(const bound_order& term, const value& end,
                                                 read_set::walk_from from) {
  if (from == read_set::walk_from::front)
    return {term.descending ? value_interval{.from = end} : value_interval{.to = end}};
  if (term.descending)
    return {{.to = end}};
  const value null{};
  return {{.from = null, .to = null}, {.from = end}};
}

/// Ranges that lead to the query. Where only the records at an end of an order were looked at, the
/// place of the innermost says more, as a rule, than the filter.
std::optional<query_routes::field_ranges>
query_routes::ranges_of(const read_set::query_read& read) {
  if (read.last && !read.order.terms.empty() && !read.last->at[0].is_null()) {
    auto& term = read.order.terms[0];
    return field_ranges{term.field, walked(term, read.last->at[0], read.from)};
  }
  const auto nodes = read.which->nodes();
  if (nodes.empty())
    return std::nullopt;
  auto ranges = [&](std::size_t i) -> std::optional<field_ranges> {
    if (!nodes[i].is_leaf() || nodes[i].operands.size() > most_values)
      return std::nullopt;
    auto over = intervals_of(nodes[i]);
    return over.empty() ? std::nullopt
                        : std::optional{field_ranges{nodes[i].field, std::move(over)}};
  };
  if (nodes[0].op != filter::kind::all_of)
    return ranges(0);
  // One range rather than several, and one with both ends, if there is one.
  auto width = [](const field_ranges& r) {
    return r.over.size() * 2 - (r.over[0].from && r.over[0].to ? 1 : 0);
  };
  std::optional<field_ranges> best;
  for (std::uint32_t i = 1; i < nodes[0].end; i = nodes[i].end)
    if (auto some = ranges(i); some && (!best || width(*some) < width(*best)))
      best = std::move(some);
  return best;
}

query_routes::field_routes& query_routes::routes_of(const bound_field& field) {
  auto found = std::ranges::find_if(
      fields_, [&](auto& f) { return f->field.slot == field.slot && f->path == field.path; });
  if (found != fields_.end())
    return **found;
  auto made = std::make_unique<field_routes>();
  made->path = field.path;
  made->field = {.slot = field.slot, .path = made->path};
  fields_.push_back(std::move(made));
  return *fields_.back();
}

query_route& query_routes::enter(query_route& head, query_group& g, read_set::query_read* read,
                                 entries& out) {
  out.push_back(std::make_unique<query_route>());
  auto& made = *out.back();
  made.of = &g;
  made.read = read;
  made.put_before(head);
  return made;
}

void query_routes::sweep() {
  std::erase_if(keys_, [](auto& each) { return each.second.alone(); });
  for (auto& field : fields_) {
    std::erase_if(field->by_value, [](auto& each) { return each.second.alone(); });
    field->by_range.erase_if([](const query_route& head) { return head.alone(); });
  }
  std::erase_if(fields_, [](auto& field) { return field->empty(); });
}

void query_routes::add(query_group& g, const query_reads& reads, entries& out) {
  // Heads of lists that went empty are taken out now and then, not at each end of a list.
  constexpr std::size_t entries_per_sweep = 4096;
  if (++entered_ % entries_per_sweep == 0)
    sweep();
  enter(all_, g, nullptr, out);
  if (reads.set.has_everything()) {
    enter(everything_, g, nullptr, out);
    return;
  }
  for (auto hash : reads.keys)
    enter(keys_[hash], g, nullptr, out);
  for (auto& read : reads.set.queries()) {
    auto* filter = read->bound(reads.schema->layout());
    if (!filter)
      continue;
    auto* by = comparison_in(*filter);
    if (!by) {
      const auto ranges = ranges_of(*read);
      if (!ranges)
        enter(others_, g, read.get(), out);
      else
        for (auto& over : ranges->over)
          enter(routes_of(ranges->field).by_range[over], g, read.get(), out);
      continue;
    }
    auto& values = routes_of(by->field).by_value;
    if (by->op == filter::kind::is_null)
      enter(values[hash_of_value({})], g, read.get(), out);
    for (auto& operand : by->operands)
      enter(values[hash_of_value(operand)], g, read.get(), out);
  }
}

} // namespace holdfast::detail
