#include <holdfast/store/selection.hpp>

#include <holdfast/store/detail/adder.hpp>
#include <holdfast/store/detail/aggregate.hpp>
#include <holdfast/store/detail/bucket_core.hpp>
#include <holdfast/store/detail/execute.hpp>
#include <holdfast/store/detail/group.hpp>
#include <holdfast/store/detail/list_edits.hpp>
#include <holdfast/store/detail/projection.hpp>
#include <holdfast/store/detail/transaction_part.hpp>
#include <holdfast/store/query_value.hpp>

namespace holdfast {

selection::selection(ref<detail::bucket_core> of, query q, std::optional<snapshot> when)
    : of_{std::move(of)}, query_{std::move(q)}, when_{std::move(when)} {
  ensure(!when_ || when_->is_of(of_->lines()), "selection: a snapshot of another store");
}
selection::selection(ref<detail::transaction_part> in, query q)
    : of_{&in->core()}, query_{in->restricted(std::move(q))}, in_{std::move(in)} {}
selection::selection(const selection&) = default;
selection::selection(selection&&) noexcept = default;
selection& selection::operator=(const selection&) = default;
selection& selection::operator=(selection&&) noexcept = default;
selection::~selection() = default;

selection selection::where(filter which) && {
  query_.where(std::move(which));
  return std::move(*this);
}
selection selection::order_by(std::string_view field, direction way) && {
  query_.order_by(field, way);
  return std::move(*this);
}
selection selection::then_by(std::string_view field, direction way) && {
  query_.then_by(field, way);
  return std::move(*this);
}
selection selection::fields(std::vector<field_name> names) && {
  query_.fields(std::move(names));
  return std::move(*this);
}
selection selection::offset(std::uint64_t count) && {
  query_.offset(count);
  return std::move(*this);
}
selection selection::limit(std::uint64_t count) && {
  query_.limit(count);
  return std::move(*this);
}

namespace {

/// What a read sees. Its time, in microseconds since the epoch, is that of its moment; any will do
/// where nothing expires.
struct sight {
  sight(const detail::bucket_core& of, std::uint64_t seq, timestamp at)
      : form{&of.at(seq)}, view{form->data, seq}, now{at.time_since_epoch().count()} {}

  const detail::generation* form;
  detail::read_view view;
  std::int64_t now;
};

sight sight_of(const detail::bucket_core& of, const snapshot& when) {
  return {of, when.seq(of.durable() ? detail::line_kind::durable : detail::line_kind::memory),
          when.time()};
}

/// The bucket as it is, while pinned; looks at the clock only where something may have expired.
sight sight_of(detail::bucket_core& of, std::uint64_t seq) {
  sight out{of, seq, {}};
  if (!out.view.has_deadlines()) [[likely]]
    return out;
  const auto at = of.moment();
  return {of, at.seq, at.time};
}

detail::expiry expiry_in(const detail::read_view& view, std::int64_t now) {
  return view.expired_count(now) > 0 ? detail::expiry::possible : detail::expiry::none;
}

/// `f` for a read that gives no part of a record: fields that there are not are refused there, too.
template <class F>
auto knowing_fields(const query& q, F&& f) {
  using outcome = std::invoke_result_t<F&, const detail::reader&, std::int64_t>;
  return [&](const detail::reader& from, std::int64_t now) -> outcome {
    if (!q.fields().empty()) [[unlikely]]
      if (auto bound = detail::projection::bind(q.fields(), from.layout()); !bound)
        return fail(std::move(bound.error()));
    return f(from, now);
  };
}

} // namespace

/// Calls `f(reader, now)` with the bucket pinned at what is published, or at the snapshot.
template <class F>
auto selection::read(F&& f) const {
  using outcome = std::invoke_result_t<F&, const detail::reader&, std::int64_t>;
  const auto ask = knowing_fields(query_, f);
  if (in_)
    return outcome{in_->read(ask)};
  if (auto why = of_->closed())
    return outcome{fail(std::move(*why))};
  detail::pin_guard pin{of_->line(), detail::pin_for::read};
  const auto seen = when_ ? sight_of(*of_, *when_) : sight_of(*of_, pin.seq());
  detail::reader from{*seen.form->schema, seen.view, expiry_in(seen.view, seen.now)};
  return outcome{ask(from, seen.now)};
}

/// The same for a walk that may be long: it reads at a registered snapshot and renews its pin. What
/// the query's `fields` are is for `f` to find out.
template <class F>
auto selection::walk(F&& f) const {
  using outcome = std::invoke_result_t<F&, const detail::reader&, std::int64_t>;
  if (in_)
    return outcome{in_->read(f)};
  if (auto why = of_->closed())
    return outcome{fail(std::move(*why))};
  detail::pin_guard pin{of_->line(), detail::pin_for::read};
  std::optional<detail::line_hold> hold;
  if (!when_)
    hold.emplace(of_->line(), of_->lines().time, of_->owner().clock());
  const auto seen = when_ ? sight_of(*of_, *when_) : sight{*of_, hold->seq(), hold->time()};
  detail::reader from{*seen.form->schema, seen.view, expiry_in(seen.view, seen.now)};
  from.renew(pin);
  return outcome{f(from, seen.now)};
}

namespace {

error negative(const detail::bucket_core& of, std::int64_t n) {
  return error{errc::invalid_argument,
               of.name() + ": a count of " + std::to_string(n) + " is below the minimum 0",
               {.bucket = of.name()}};
}

/// The last record if there are as many as the query takes: none behind it was looked at.
const detail::record_block* last_of(const query& q, const result<records>& found) {
  return found && !found->empty() && found->size() == q.limit() ? found->back().block() : nullptr;
}

/// The records, and what the query's `fields` name of them.
result<query_list> listed(const detail::reader& from, const query& q, result<records> found) {
  if (!found)
    return fail(std::move(found.error()));
  query_list out{.items = std::move(*found), .objects = {}};
  auto columns = detail::projection::bind(q.fields(), from.layout());
  if (!columns)
    return fail(std::move(columns.error()));
  if (!q.fields().empty())
    for (auto& item : out.items)
      out.objects.push_back(columns->of(*item.block()));
  return out;
}

} // namespace

/// Of the records whose number is asked for, or something about these fields. Where offset and
/// limit choose among those that match, what orders them counts too.
selection::used_fields
selection::used_by_number(std::initializer_list<std::string_view> names) const {
  if (!in_)
    return std::nullopt;
  std::vector<std::string> fields{names.begin(), names.end()};
  if (detail::is_cut(query_))
    for (auto& term : query_.order())
      fields.push_back(term.field);
  return fields;
}

/// Of the records that are listed.
selection::used_fields selection::used_by_objects() const {
  if (!in_ || query_.fields().empty())
    return std::nullopt;
  std::vector<std::string> fields;
  for (auto& name : query_.fields())
    fields.push_back(name.text);
  for (auto& term : query_.order())
    fields.push_back(term.field);
  return fields;
}

/// For the transaction: all that match were looked at.
void selection::note_all(const query& q, used_fields used) const {
  if (in_)
    in_->reads().add_query(q, std::move(used));
}

/// For the transaction: those up to `last` were looked at, or all if it is null.
void selection::note_first(const detail::reader& from, const query& q,
                           const detail::record_block* last) const {
  if (!last)
    return note_all(q);
  if (in_)
    in_->reads().add_query(from, q, last, in_->is_inserted(*last));
}

/// Of those from `first` to the end.
void selection::note_last(const detail::reader& from, const detail::record_block* first) const {
  if (!first)
    return note_all(query_);
  if (in_)
    in_->reads().add_query(from, query_, first, in_->is_inserted(*first),
                           detail::read_set::walk_from::back);
}

pending<records> selection::all() const {
  return walk(knowing_fields(query_, [&](auto& from, auto now) {
    auto found = detail::all(from, query_, now);
    note_first(from, query_, last_of(query_, found));
    return found;
  }));
}
result<query_list> selection::list() const {
  return walk([&](auto& from, auto now) {
    auto found = detail::all(from, query_, now);
    note_first(from, query_, last_of(query_, found)); // the records are given, too
    return listed(from, query_, std::move(found));
  });
}
result<query_list> selection::list_with_more(std::uint64_t behind, records& first) const {
  const auto needed = detail::needed_for(query_);
  auto more = query_;
  more.offset(0).limit(detail::capped_sum(needed, behind));
  return walk([&](auto& from, auto now) -> result<query_list> {
    auto found = detail::all(from, more, now);
    if (in_)
      in_->reads().add_query(from, query_, last_of(more, found), false);
    if (!found)
      return fail(std::move(found.error()));
    first = std::move(*found);
    return listed(from, query_, detail::cut_out(first, query_.offset(), needed));
  });
}
pending<std::vector<object>> selection::objects() const {
  note_all(query_, used_by_objects());
  return walk([&](auto& from, auto now) { return detail::objects(from, query_, now); });
}
result<std::uint64_t> selection::visit_fields(detail::fields_visitor visitor) const {
  note_all(query_, used_by_objects());
  return walk([&](auto& from, auto now) -> result<std::uint64_t> {
    auto columns = detail::projection::bind(query_.fields(), from.layout());
    if (!columns)
      return fail(std::move(columns.error()));
    std::vector<value_view> contents(query_.fields().size());
    return detail::visit(from, query_, now, [&](const detail::record_block& block) {
      columns->read(block, contents);
      return visitor.call(visitor.context, detail::key_of(block), contents);
    });
  });
}
pending<record> selection::find_one() const {
  return read([&](auto& from, auto now) {
    auto found = detail::find_one(from, query_, now);
    note_first(from, query_, found ? found->block() : nullptr);
    return found;
  });
}
pending<std::uint64_t> selection::count() const {
  if (in_)
    note_all(query_, std::vector<std::string>{});
  return read([&](auto& from, auto now) { return detail::count(from, query_, now); });
}

pending<records> selection::first(std::int64_t n) const {
  if (n < 0)
    return result<records>{fail(negative(*of_, n))};
  auto some = query_;
  some.limit(std::min(query_.limit(), static_cast<std::uint64_t>(n)));
  return read([&](auto& from, auto now) {
    auto found = detail::all(from, some, now);
    note_first(from, some, last_of(some, found));
    return found;
  });
}

pending<records> selection::last(std::int64_t n) const {
  if (n < 0)
    return result<records>{fail(negative(*of_, n))};
  const auto count = static_cast<std::uint64_t>(n);
  return read([&](auto& from, auto now) {
    auto found = detail::last(from, query_, count, now);
    // What offset and limit leave is counted from the front.
    const bool whole = !found || found->empty() || found->size() < count || detail::is_cut(query_);
    note_last(from, whole ? nullptr : found->front().block());
    return found;
  });
}

pending<page> selection::page_of(std::uint64_t size, std::optional<std::string> after) const {
  return read([&](auto& from, auto now) {
    const detail::record_block* beyond = nullptr; // it is why there is a next page
    auto found = detail::page_of(from, query_, size,
                                 after ? std::optional<std::string_view>{*after} : std::nullopt,
                                 now, &beyond);
    note_first(from, query_, beyond);
    return found;
  });
}

pending<value> selection::sum(const field_name& field) const {
  note_all(query_, used_by_number({field.text}));
  return read([&](auto& from, auto now) { return detail::sum(from, field.text, query_, now); });
}
pending<value> selection::avg(const field_name& field) const {
  note_all(query_, used_by_number({field.text}));
  return read([&](auto& from, auto now) { return detail::avg(from, field.text, query_, now); });
}
result<detail::adder> selection::add_up(const field_name& field) const {
  note_all(query_, used_by_number({field.text}));
  return read([&](auto& from, auto now) { return detail::add_up(from, field.text, query_, now); });
}
pending<value> selection::min(const field_name& field) const {
  note_all(query_, used_by_number({field.text}));
  return read([&](auto& from, auto now) { return detail::min(from, field.text, query_, now); });
}
pending<value> selection::max(const field_name& field) const {
  note_all(query_, used_by_number({field.text}));
  return read([&](auto& from, auto now) { return detail::max(from, field.text, query_, now); });
}

pending<groups> selection::group_by(std::vector<field_name> keys,
                                    std::vector<aggregate> what) const {
  auto used = used_by_number({});
  if (used)
    for (auto& key : keys)
      used->push_back(key.text);
  if (used)
    for (auto& one : what)
      used->push_back(one.field);
  note_all(query_, std::move(used));
  return walk(knowing_fields(query_, [&](auto& from, auto now) {
    return detail::group_by(from, query_, keys, what, now);
  }));
}

result<std::uint64_t> selection::visit_blocks(detail::record_visitor visitor) const {
  if (!in_) [[likely]]
    return walk(knowing_fields(query_, [&](auto& from, auto now) {
      return detail::visit(from, query_, now, [&](const detail::record_block& block) {
        return visitor.call(visitor.context, block);
      });
    }));
  return in_->read(knowing_fields(query_, [&](auto& from, auto now) {
    const detail::record_block* last = nullptr; // where the visitor ended it
    auto seen = detail::visit(from, query_, now, [&](const detail::record_block& block) {
      try {
        const bool more = visitor.call(visitor.context, block);
        last = more ? nullptr : &block;
        return more;
      } catch (...) {
        note_first(from, query_, &block); // the transaction may go on
        throw;
      }
    });
    note_first(from, query_, last);
    return seen;
  }));
}

result<explanation> selection::explain() const {
  return read([&](auto& from, auto) { return detail::explain(from, query_); });
}

} // namespace holdfast
