#include <holdfast/store/detail/aggregate.hpp>
#include <holdfast/store/detail/execute.hpp>

#include <cmath>
#include <limits>
#include <optional>

namespace holdfast::detail {

namespace {

__extension__ using int128 = __int128;

/// Adds integers exactly (2^63 of any size fit into 128 bits) and reals with Neumaier's
/// compensation.
class adder {
public:
  void add(value_view x) noexcept {
    if (x.kind() == value_kind::integer)
      integers_ += x.as_int();
    else if (x.kind() == value_kind::real)
      add_real(x.as_double());
    else
      return;
    ++count_;
  }
  std::uint64_t count() const noexcept { return count_; }

  value sum() const {
    using range = std::numeric_limits<std::int64_t>;
    if (!real_ && integers_ >= range::min() && integers_ <= range::max())
      return static_cast<std::int64_t>(integers_);
    return total();
  }
  value mean() const {
    return count_ == 0 ? value{} : value{total() / static_cast<double>(count_)};
  }

private:
  void add_real(double x) noexcept {
    real_ = true;
    double next = reals_ + x;
    if (std::isfinite(next))
      lost_ += std::abs(reals_) >= std::abs(x) ? (reals_ - next) + x : (x - next) + reals_;
    reals_ = next;
  }
  double total() const noexcept { return static_cast<double>(integers_) + (reals_ + lost_); }

  int128 integers_ = 0;
  double reals_ = 0;
  double lost_ = 0;
  bool real_ = false;
  std::uint64_t count_ = 0;
};

tl::unexpected<error> unfit(const record_layout& layout, std::size_t slot, std::string_view what) {
  return fail(errc::invalid_argument,
              layout.bucket() + "." + layout.name(slot) + ": " + std::string{what} + ", not " +
                  std::string{to_string(layout.type(slot))},
              {layout.bucket(), {}, layout.name(slot)});
}

bool is_cut(const query& q) noexcept { return q.offset() > 0 || q.limit() != query::unlimited; }

/// Calls `fn` for the query's records in any order, or in one that does not depend on the indexes.
template <class Fn>
result<void> each_of_query(const reader& from, const query& q, std::int64_t now, bool any_order,
                           Fn&& fn) {
  if (is_cut(q) || !any_order) {
    auto seen = visit(from, is_cut(q) ? q : query{q.which()}, now, fn);
    return seen ? result<void>{} : fail(std::move(seen.error()));
  }
  auto how = make_plan(from, q.which(), {}, {.any_order = true});
  if (!how)
    return fail(std::move(how.error()));
  each_match(from, *how, now, 0, [&](const record_block& block) {
    fn(block);
    return true;
  });
  return {};
}

result<adder> add_up(const reader& from, std::string_view field, const query& q, std::int64_t now) {
  auto slot = find_field(from.layout(), field);
  if (!slot)
    return fail(std::move(slot.error()));
  auto type = from.layout().type(slot->slot);
  if (type != field_type::number && type != field_type::integer)
    return unfit(from.layout(), slot->slot, "only numbers add up");
  adder out;
  // The sum of reals depends on their order.
  auto done = each_of_query(from, q, now, type == field_type::integer,
                            [&](const record_block& block) { out.add(field_of(block, *slot)); });
  if (!done)
    return fail(std::move(done.error()));
  return out;
}

/// The value that comes first in a direction; of equal ones that of the lowest row.
result<value> extreme(const reader& from, std::string_view field, const query& q, std::int64_t now,
                      direction way) {
  auto slot = find_field(from.layout(), field);
  if (!slot)
    return fail(std::move(slot.error()));
  auto type = from.layout().type(slot->slot);
  if (type == field_type::array || type == field_type::object)
    return unfit(from.layout(), slot->slot, "min and max need a field with an order");
  value out;
  if (!is_cut(q)) {
    auto first = query{q.which()}.where(filter::exists(field)).order_by(field, way).limit(1);
    auto done = visit(from, first, now, [&](const record_block& block) {
      out = field_of(block, *slot).materialize();
    });
    return done ? result<value>{std::move(out)} : fail(std::move(done.error()));
  }
  item_order order{{slot->slot, way == direction::descending}};
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
