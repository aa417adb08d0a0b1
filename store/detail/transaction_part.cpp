#include <holdfast/store/detail/transaction_part.hpp>

#include <holdfast/store/detail/execute.hpp>
#include <holdfast/store/detail/read_key.hpp>
#include <holdfast/store/detail/transaction_state.hpp>
#include <holdfast/store/detail/validation.hpp>
#include <holdfast/store/detail/write_checks.hpp>
#include <holdfast/store/detail/write_errors.hpp>

#include <algorithm>

namespace holdfast::detail {
namespace {

std::uint64_t hash_of_key(const key_view& key) noexcept {
  return key.tag == slot_tag::text ? hash_of(key.text) : hash_of(key.integer);
}

/// Whether completing the input takes a number from the bucket's counter.
bool takes_number(const draft& input) {
  auto& schema = input.schema();
  return std::ranges::any_of(schema.filled_slots(), [&](std::size_t slot) {
    return schema.rules()[slot].options->generated == autoincrement && !input.given(slot);
  });
}

result<record> as_record(result<record_block*> stored) {
  if (!stored)
    return fail(std::move(stored.error()));
  return record::share(*stored);
}

} // namespace

transaction_part::transaction_part(transaction_state& of, ref<bucket_core> core, std::uint64_t seq)
    : of_{&of}, core_{std::move(core)}, was_open_{core_->is_open()}, seq_{seq},
      only_{of.visible_of(core_->name())} {
  const pin_guard pin{core_->line()};
  form_ = &core_->at(seq_);
  row_bound_ = form_->data.root_at(seq_).row_bound;
  if (only_)
    visible_ = matcher::bind(*only_, schema().layout());
}

bool transaction_part::has_deadlines() const noexcept {
  const pin_guard pin{core_->line()};
  return read_view{form_->data, seq_}.has_deadlines();
}

query transaction_part::restricted(query q) const {
  if (only_)
    q.where(*only_);
  return q;
}

bool transaction_part::is_visible(const record_block& block) const {
  return !only_ || (*visible_)(block);
}

/// Why no key can be looked up.
std::optional<error> transaction_part::unreadable() const {
  if (auto why = of_ && of_->skips_clock() ? core_->closed() : ended())
    return why;
  if (only_ && !visible_) [[unlikely]]
    return visible_.error();
  return std::nullopt;
}

std::optional<error> transaction_part::refusal() const {
  if (auto why = ended())
    return why;
  if (of_->only_reads())
    return error{errc::invalid_argument,
                 core_->name() + ": a query can only read",
                 {.bucket = core_->name()}};
  return std::nullopt;
}

std::int64_t transaction_part::now() const noexcept {
  return of_->now().time_since_epoch().count();
}

bool transaction_part::changed() const noexcept {
  return std::ranges::any_of(own_.entries(), [](auto& e) { return e.changes(); });
}

void transaction_part::end() noexcept {
  of_ = nullptr;
  form_ = nullptr;
  own_.clear();
  reads_ = {};
  purged_ = {};
  only_ = nullptr; // the caller's
}

std::optional<error> transaction_part::ended() const {
  if (!of_)
    return error{errc::invalid_argument,
                 core_->name() + ": the transaction that this handle belongs to has ended",
                 {.bucket = core_->name()}};
  if (auto late = of_->lateness()) [[unlikely]]
    return late;
  return core_->closed();
}

/// The input in the form that the transaction sees the bucket in.
draft transaction_part::bound(draft input) const {
  return &input.schema() == &schema() ? std::move(input) : input.rebound(schema());
}

record_block* transaction_part::in_snapshot(const key_view& key, std::uint64_t hash) const {
  const pin_guard pin{core_->line(), pin_for::read};
  return key.tag == slot_tag::text ? form_->data.find_at(key.text, hash, seq_)
                                   : form_->data.find_at(key.integer, hash, seq_);
}

/// What the transaction sees under a key, and notes that it looked.
record_block* transaction_part::find(const key_view& key, std::uint64_t hash) {
  if (!own_.empty())
    if (auto* own = own_.find(key, hash, core_->key_slot()))
      return own->after && !expired(*own->after, now()) ? own->after : nullptr;
  auto* block = in_snapshot(key, hash);
  if (block && expired(*block, now()))
    block = nullptr;
  if (block)
    reads_.add_found(*block);
  else
    reads_.add_absent(key.tag == slot_tag::text ? value_view{key.text} : value_view{key.integer});
  return block && is_visible(*block) ? block : nullptr;
}

record_block* transaction_part::find(value_view key) {
  auto k = key_of(key);
  if (k.tag != (core_->text_keys() ? slot_tag::text : slot_tag::integer))
    return nullptr;
  return find(k, hash_of_key(k));
}

result<record> transaction_part::get(value_view key) {
  if (auto why = unreadable()) [[unlikely]]
    return fail(std::move(*why));
  auto* block = find(key);
  if (!block)
    return fail(no_record(*core_, key));
  note_use(*block);
  return record::share(block);
}

/// For the evictor; a row of its own it does not know yet.
void transaction_part::note_use(const record_block& block) const noexcept {
  if (auto* keeper = core_->evictor(); keeper && !is_inserted(block))
    keeper->mark(block.row);
}

result<bool> transaction_part::visit(value_view key, record_visitor visitor) {
  if (auto why = unreadable())
    return fail(std::move(*why));
  auto* block = find(key);
  if (!block)
    return false;
  note_use(*block);
  visitor.call(visitor.context, *block);
  return true;
}

/// Generated values and the counter are this transaction's own until it commits.
result<record_block*> transaction_part::put_new(draft& input, const write_options& how) {
  auto refused = [&](const error& e) { return fail(of_record(e, *core_, input.key())); };
  auto ends = deadline_of_insert(schema(), how, of_->now());
  if (!ends)
    return refused(ends.error());
  if (!counted_from_ && takes_number(input)) {
    counted_from_ = core_->made().counter();
    made_.restore(std::max(*counted_from_, made_.counter()));
  }
  made_.begin();
  if (auto failed = complete(input, made_, of_->now()))
    return refused(*failed);
  if (auto failed = check_insert(input, of_->now()))
    return refused(*failed);
  auto key = input.field(core_->key_slot());
  auto k = key_of(key);
  auto hash = hash_of_key(k);
  if (find(k, hash))
    return fail(taken(*core_, schema(), core_->key_slot(), key));
  auto* own = own_.find(k, hash, core_->key_slot());
  auto* before = own ? own->before : in_snapshot(k, hash); // the latter has expired
  if (before && (!own || !own->changes())) // it goes now, and with it what hangs on it
    if (auto gone =
            of_->all_or_nothing([&] { return treat_referrers(record::share(before), true); });
        !gone)
      return fail(std::move(gone.error()));
  own_writes::keep(schema().shared_layout());
  auto* block = build(own_.allocate(block_size(input)), input, of_->now(), *ends);
  block->hash = hash;
  block->row = own_.next_row(row_bound_);
  own_.put(*block, hash, core_->key_slot(), before, block);
  made_.accept();
  return block;
}

result<record_block*> transaction_part::put_next(record_block& old, draft& changes,
                                                 const write_options& how) {
  auto refused = [&](const error& e) { return fail(of_record(e, *core_, detail::key_of(old))); };
  auto ends = deadline_of_update(old, schema(), how, of_->now());
  if (!ends)
    return refused(ends.error());
  if (auto failed = check_update(old, changes, of_->now()))
    return refused(*failed);
  auto k = key_view::of(old, core_->key_slot());
  auto hash = hash_of_key(k);
  auto* own = own_.find(k, hash, core_->key_slot());
  auto plan = plan_update(old, changes);
  own_writes::keep(schema().shared_layout());
  auto* block = build_update(own_.allocate(plan.bytes), old, changes, plan, of_->now());
  block->expires_at = *ends;
  block->hash = hash;
  if (own && own->after != own->before)
    block->version = old.version; // all its changes are one when it commits
  own_.put(*block, hash, core_->key_slot(), own ? own->before : &old, block);
  return block;
}

result<void> transaction_part::put_erased(record_block& old) {
  return treat_referrers(put_gone(old));
}

/// Erases a record, and leaves those that refer to it.
record transaction_part::put_gone(record_block& old) {
  auto gone = record::share(&old);
  auto k = key_view::of(old, core_->key_slot());
  auto hash = hash_of_key(k);
  auto* own = own_.find(k, hash, core_->key_slot());
  own_.put(old, hash, core_->key_slot(), own ? own->before : &old, nullptr);
  return gone;
}

/// The records whose field has this value, as the transaction sees them; notes that it looked at
/// these fields of them.
result<records> transaction_part::referring(std::uint32_t slot, value_view to,
                                            read_set::used_fields used) {
  if (slot >= schema().layout().size())
    return records{}; // of a definition on its way
  const query which{
      filter::compare(schema().layout().name(slot), filter::kind::eq, to.materialize())};
  return read([&](const reader& from, std::int64_t at) {
    reads_.add_query(which, std::move(used));
    return all(from, which, at);
  });
}

/// Erases or changes the records that refer to an erased one, as their fields say, and to those
/// erased by that: through a list, for a chain of references may be longer than the stack. Where
/// they restrict, the commit looks whether they still refer.
result<void> transaction_part::treat_referrers(record gone, bool makes_room) {
  erased_records list{{this, std::move(gone)}};
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto next = std::exchange(list[i].second, {}); // the list grows meanwhile
    if (auto done = list[i].first->treat_referrers(next, i == 0 && makes_room, list); !done)
      return done;
  }
  return {};
}

/// Whether the transaction itself has made a record refer to what it refers to.
bool transaction_part::refers_anew(const record_block& block, std::uint32_t slot) const {
  const auto k = key_view::of(block, core_->key_slot());
  auto* own = own_.find(k, hash_of_key(k), core_->key_slot());
  return own && own->changes() &&
         (!own->before || own->begins_anew() ||
          compare(key_view::of(block, slot), key_view::of(*own->before, slot)) != 0);
}

/// Of one erased record; those that it erases are put into the list. One that has expired and makes
/// room for its key takes nothing along that refers to the key anew.
result<void> transaction_part::treat_referrers(const record& gone, bool makes_room,
                                               erased_records& list) {
  auto referrers = of_->referrers(*core_);
  if (!referrers)
    return fail(std::move(referrers.error()));
  for (auto& by : *referrers) {
    if (by.what == on_delete::restrict)
      continue;
    auto source = of_->part_of(by.source);
    auto found = source->referring(by.slot, gone.key(), std::nullopt);
    if (!found)
      return fail(std::move(found.error()));
    for (auto& referrer : *found) {
      auto* block = source->find(referrer.key());
      if (!block)
        continue; // erased by what was done to the one before
      if (makes_room && source->refers_anew(*block, by.slot))
        continue;
      if (by.what == on_delete::cascade) {
        list.emplace_back(source.get(), source->put_gone(*block));
        continue;
      }
      draft without{source->schema()};
      without.set_null(by.slot);
      if (auto done = source->put_next(*block, without); !done)
        return fail(while_erasing(done.error(), *core_, gone.key()));
    }
  }
  return {};
}

result<record> transaction_part::insert(draft input, const write_options& how) {
  if (auto why = refusal())
    return fail(std::move(*why));
  auto mine = bound(std::move(input));
  if (how.expected_version)
    if (auto other = version_error(core_->name(), mine.key(), find(mine.key()), how))
      return fail(std::move(*other));
  return as_record(put_new(mine, how));
}

result<record> transaction_part::update(value_view key, draft changes, const write_options& how) {
  if (auto why = refusal())
    return fail(std::move(*why));
  auto* old = find(key);
  if (auto other = version_error(core_->name(), key, old, how))
    return fail(std::move(*other));
  if (!old)
    return fail(no_record(*core_, key));
  auto mine = bound(std::move(changes));
  return as_record(put_next(*old, mine, how));
}

result<record> transaction_part::touch(value_view key, write_options how) {
  if (auto why = refusal())
    return fail(std::move(*why));
  if (auto wrong = complete_touch(schema(), how))
    return fail(std::move(*wrong));
  return update(key, draft{schema()}, how);
}

result<record> transaction_part::upsert(draft input, const write_options& how) {
  if (auto why = refusal())
    return fail(std::move(*why));
  auto mine = bound(std::move(input));
  auto* old = find(mine.key());
  if (auto other = version_error(core_->name(), mine.key(), old, how))
    return fail(std::move(*other));
  return as_record(old ? put_next(*old, mine, how) : put_new(mine, how));
}

result<record> transaction_part::erase(value_view key, const write_options& how) {
  if (auto why = refusal())
    return fail(std::move(*why));
  auto* old = find(key);
  if (auto other = version_error(core_->name(), key, old, how))
    return fail(std::move(*other));
  if (!old)
    return fail(no_record(*core_, key));
  auto last = record::share(old);
  return of_->all_or_nothing([&] { return put_erased(*old).map([&] { return std::move(last); }); });
}

} // namespace holdfast::detail
