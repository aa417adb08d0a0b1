#include <holdfast/store/detail/aggregate.hpp>

#include <holdfast/store/detail/execute.hpp>

#include <optional>

namespace holdfast::detail {

namespace {

/// The value that comes first in a direction; of equal ones that of the lowest row.
result<value> extreme(const reader& from, std::string_view name, const query& q, std::int64_t now,
                      direction way) {
  auto field = find_ordered(from.layout(), name);
  if (!field)
    return fail(std::move(field.error()));
  order_spec spec{{{*field, way == direction::descending}}};
  value out;
  if (!is_cut(q)) {
    auto first = query{q.which()}.where(filter::exists(name)).order_by(name, way).limit(1);
    auto done = visit(from, first, now, [&](const record_block& block) {
      out = spec.terms[0].key(block).materialize();
    });
    return done ? result<value>{std::move(out)} : fail(std::move(done.error()));
  }
  item_order order{spec};
  std::optional<ordered_item> best;
  auto done = visit(from, q, now, [&](const record_block& block) {
    auto item = order.item(block);
    if (!best || order(item, *best))
      best = item;
  });
  if (!done)
    return fail(std::move(done.error()));
  return best ? best->key.materialize() : value{};
}

} // namespace

namespace {

tl::unexpected<error> unfit(const record_layout& layout, std::size_t slot, std::string_view what) {
  return fail(errc::invalid_argument,
              layout.bucket() + "." + layout.name(slot) + ": " + std::string{what} + ", not " +
                  std::string{to_string(layout.type(slot))},
              {layout.bucket(), {}, layout.name(slot)});
}

} // namespace

result<bound_field> find_numbers(const record_layout& layout, std::string_view name) {
  auto field = find_field(layout, name);
  if (!field || !field->path.empty())
    return field;
  auto type = layout.type(field->slot);
  if (type != field_type::number && type != field_type::integer)
    return unfit(layout, field->slot, "only numbers add up");
  return field;
}

result<bound_field> find_ordered(const record_layout& layout, std::string_view name) {
  auto field = find_field(layout, name);
  if (!field || !field->path.empty())
    return field;
  auto type = layout.type(field->slot);
  if (type == field_type::array || type == field_type::object)
    return unfit(layout, field->slot, "min and max need a field with an order");
  return field;
}

result<adder> add_up(const reader& from, std::string_view name, const query& q, std::int64_t now) {
  auto field = find_numbers(from.layout(), name);
  if (!field)
    return fail(std::move(field.error()));
  adder out;
  auto done = each_of_query(from, q, now,
                            [&](const record_block& block) { out.add(field_of(block, *field)); });
  if (!done)
    return fail(std::move(done.error()));
  return out;
}

result<value> sum(const reader& from, std::string_view field, const query& q, std::int64_t now) {
  return add_up(from, field, q, now).map([](const adder& a) { return a.sum(); });
}

result<value> avg(const reader& from, std::string_view field, const query& q, std::int64_t now) {
  return add_up(from, field, q, now).map([](const adder& a) { return a.mean(); });
}

result<value> min(const reader& from, std::string_view field, const query& q, std::int64_t now) {
  return extreme(from, field, q, now, direction::ascending);
}

result<value> max(const reader& from, std::string_view field, const query& q, std::int64_t now) {
  return extreme(from, field, q, now, direction::descending);
}

} // namespace holdfast::detail
