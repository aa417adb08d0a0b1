#include <holdfast/store/bucket.hpp>

#include <holdfast/store/detail/bucket_writes.hpp>
#include <holdfast/store/detail/bulk_writes.hpp>
#include <holdfast/store/detail/purge.hpp>
#include <holdfast/store/detail/read_key.hpp>
#include <holdfast/store/detail/read_view.hpp>
#include <holdfast/store/detail/transaction_part.hpp>
#include <holdfast/store/detail/write_errors.hpp>
#include <holdfast/store/transaction.hpp>

namespace holdfast {

using detail::bucket_core;

bucket<record>::bucket(ref<bucket_core> core, durability level)
    : core_{std::move(core)}, level_{level} {}
bucket<record>::bucket(ref<detail::transaction_part> in)
    : core_{&in->core()}, level_{durability::group}, in_{std::move(in)} {}
bucket<record>::bucket(const bucket&) = default;
bucket<record>::bucket(bucket&&) noexcept = default;
bucket<record>& bucket<record>::operator=(const bucket&) = default;
bucket<record>& bucket<record>::operator=(bucket&&) noexcept = default;
bucket<record>::~bucket() = default;

const std::string& bucket<record>::name() const noexcept { return core_->name(); }

bucket<record> bucket<record>::with(durability level) const {
  auto other = *this;
  other.level_ = level;
  return other;
}

bucket<record> bucket<record>::at(const snapshot& when) const {
  ensure(when.is_of(core_->lines()), "bucket::at: a snapshot of another store");
  auto other = *this;
  other.when_ = when;
  other.in_ = {};
  return other;
}

// -- writes

namespace {

template <class T>
pending<T> refused(std::string why) {
  return pending<T>{result<T>{fail(errc::invalid_argument, std::move(why))}};
}

/// Calls `f` with the input in the form in which the transaction sees the bucket.
template <class T, class Fields, class F>
pending<T> in_transaction(const detail::transaction_part& in, const Fields& fields, F&& f) {
  if (auto why = in.refusal())
    return result<T>{fail(std::move(*why))};
  return result<T>{f(draft{in.schema(), fields})};
}

} // namespace

template <class Operation, class T, class... Args>
pending<T> bucket<record>::write(Args&&... args) const {
  if (when_)
    return refused<T>(name() + ": a bucket as of a snapshot cannot be written");
  if (in_)
    return refused<T>(name() + ": this write cannot be part of a transaction");
  if (auto wrong = detail::check_level(*core_, level_)) [[unlikely]]
    return pending<T>{result<T>{fail(std::move(*wrong))}};
  if (auto why = core_->closed()) [[unlikely]]
    return pending<T>{result<T>{fail(std::move(*why))}};
  return pending<T>{ref<operation<T>>{new Operation{core_, level_, std::forward<Args>(args)...}}};
}

pending<record> bucket<record>::insert(std::initializer_list<field_input> fields,
                                       const write_options& how) const {
  if (in_)
    return in_transaction<record>(*in_, fields,
                                  [&](draft d) { return in_->insert(std::move(d), how); });
  return write<detail::insert_operation, record>(how, fields);
}
pending<record> bucket<record>::insert(const object& fields, const write_options& how) const {
  if (in_)
    return in_transaction<record>(*in_, fields,
                                  [&](draft d) { return in_->insert(std::move(d), how); });
  return write<detail::insert_operation, record>(how, fields);
}
pending<record> bucket<record>::insert(draft fields, const write_options& how) const {
  if (in_)
    return in_->insert(std::move(fields), how);
  return write<detail::insert_operation, record>(how, std::move(fields));
}
pending<records> bucket<record>::insert_many(const std::vector<object>& list,
                                             const write_options& how) const {
  if (in_)
    return in_->put_many(list, how, detail::putting::insert);
  return write<detail::put_many_operation, records>(how, detail::putting::insert, list);
}
pending<records> bucket<record>::upsert_many(const std::vector<object>& list,
                                             const write_options& how) const {
  if (in_)
    return in_->put_many(list, how, detail::putting::upsert);
  return write<detail::put_many_operation, records>(how, detail::putting::upsert, list);
}
pending<std::uint64_t> bucket<record>::update_many(filter which,
                                                   std::initializer_list<field_input> changes,
                                                   const write_options& how) const {
  if (in_)
    return in_transaction<std::uint64_t>(*in_, changes,
                                         [&](draft d) { return in_->update_many(which, d, how); });
  return write<detail::update_many_operation, std::uint64_t>(how, std::move(which), changes);
}
pending<std::uint64_t> bucket<record>::update_many(filter which, const object& changes,
                                                   const write_options& how) const {
  if (in_)
    return in_transaction<std::uint64_t>(*in_, changes,
                                         [&](draft d) { return in_->update_many(which, d, how); });
  return write<detail::update_many_operation, std::uint64_t>(how, std::move(which), changes);
}
pending<std::uint64_t> bucket<record>::erase_many(filter which) const {
  if (in_)
    return in_->erase_many(which);
  return write<detail::erase_many_operation, std::uint64_t>(std::move(which));
}
result<std::uint64_t> bucket<record>::purge() const {
  if (in_)
    return in_->purge();
  if (when_)
    return fail(errc::invalid_argument,
                name() + ": a purge is of the bucket as it is, not of a snapshot");
  return detail::purge(core_, level_);
}
pending<record> bucket<record>::update(value key, std::initializer_list<field_input> changes,
                                       const write_options& how) const {
  if (in_)
    return in_transaction<record>(*in_, changes,
                                  [&](draft d) { return in_->update(key, std::move(d), how); });
  return write<detail::update_operation, record>(how, std::move(key), changes);
}
pending<record> bucket<record>::update(value key, const object& changes,
                                       const write_options& how) const {
  if (in_)
    return in_transaction<record>(*in_, changes,
                                  [&](draft d) { return in_->update(key, std::move(d), how); });
  return write<detail::update_operation, record>(how, std::move(key), changes);
}
pending<record> bucket<record>::upsert(std::initializer_list<field_input> fields,
                                       const write_options& how) const {
  if (in_)
    return in_transaction<record>(*in_, fields,
                                  [&](draft d) { return in_->upsert(std::move(d), how); });
  return write<detail::upsert_operation, record>(how, fields);
}
pending<record> bucket<record>::upsert(const object& fields, const write_options& how) const {
  if (in_)
    return in_transaction<record>(*in_, fields,
                                  [&](draft d) { return in_->upsert(std::move(d), how); });
  return write<detail::upsert_operation, record>(how, fields);
}
pending<record> bucket<record>::upsert(draft fields, const write_options& how) const {
  if (in_)
    return in_->upsert(std::move(fields), how);
  return write<detail::upsert_operation, record>(how, std::move(fields));
}
pending<record> bucket<record>::touch(value key, const write_options& how) const {
  if (in_)
    return in_->touch(key, how);
  return write<detail::touch_operation, record>(how, std::move(key));
}
pending<record> bucket<record>::erase(value key, const write_options& how) const {
  if (how.expires_in || how.expires_at || how.never_expires)
    return result<record>{fail(errc::invalid_argument, name() + ": an erase has no deadline to set",
                               {.bucket = name()})};
  if (in_)
    return in_->erase(key, how);
  return write<detail::erase_operation, record>(how, std::move(key));
}
pending<std::uint64_t> bucket<record>::clear() const {
  if (in_)
    return in_->clear();
  return write<detail::clear_operation, std::uint64_t>();
}

result<record> bucket<record>::modify_by(value key, modifier changes) const {
  auto change_in = [&](const bucket& b) -> result<record> {
    auto now = b.get(key).get();
    if (!now)
      return now;
    auto change = changes.call(changes.context, *now);
    if (!change)
      return fail(std::move(change.error()));
    return b.update(key, *change).get();
  };
  if (in_)
    return change_in(*this);
  if (when_)
    return fail(errc::invalid_argument, name() + ": a bucket as of a snapshot cannot be written");
  // One record is soon read and written: whoever comes too late tries again.
  transact_options options{.retries = 1'000, .exclusive_retries = 1'000};
  auto in_one = [&](transaction& tx) { return change_in(tx.in(*this)); };
  return detail::transact_with(in_one, [&](detail::transaction_body body) {
    return detail::transact(core_->lines(), core_->owner(), nullptr, level_, options, body);
  });
}

const compiled_schema& bucket<record>::compiled() const noexcept { return core_->schema(); }

// -- reads

namespace {

/// Calls `f` with the key in the form that the bucket's keys have; false if it cannot be one of
/// them.
template <class F>
bool with_key(const bucket_core& core, value_view key, F&& f) {
  auto k = detail::key_of(key);
  if (core.text_keys())
    return k.tag == detail::slot_tag::text && f(k.text, detail::hash_of(k.text));
  return k.tag == detail::slot_tag::integer && f(k.integer, detail::hash_of(k.integer));
}

} // namespace

/// Whether a record's deadline has come, for this handle. Reads the clock only if it has one.
bool bucket<record>::expired(const detail::record_block& block) const {
  return block.expires_at != 0 &&
         detail::expired(block, (when_ ? when_->time() : core_->now()).time_since_epoch().count());
}

/// Calls `f(block)` while pinned if the handle sees a record of that key; whether it does.
template <class F>
bool bucket<record>::with_record(value_view key, F&& f) const {
  return with_key(*core_, key, [&](auto k, std::uint64_t hash) {
    detail::pin_guard pin{core_->line(), detail::pin_for::read};
    auto seq = when_ ? when_->seq(core_->line().kind()) : pin.seq();
    auto* found = core_->at(seq).data.find_at(k, hash, seq);
    while (found && expired(*found)) {
      seq = core_->line().published();
      if (when_ || found->death.load(std::memory_order_relaxed) > seq)
        return false;
      // Perhaps what replaced it before the clock was looked at has saved it in time.
      found = core_->at(seq).data.find_at(k, hash, seq);
    }
    if (!found)
      return false;
    if (auto* keeper = core_->evictor()) [[unlikely]]
      keeper->mark(found->row);
    f(*found);
    return true;
  });
}

pending<record> bucket<record>::get(value_view key) const {
  if (in_) [[unlikely]]
    return in_->get(key);
  if (!core_->is_open()) [[unlikely]]
    return result<record>{fail(*core_->closed())};
  detail::record_block* held = nullptr;
  if (!with_record(key, [&](detail::record_block& found) {
        found.refs.fetch_add(1, std::memory_order_relaxed);
        held = &found;
      }))
    return result<record>{fail(detail::no_record(*core_, key))};
  return result<record>{record::adopt(held)};
}

bool bucket<record>::contains(value_view key) const {
  auto seen = [](const record_view&) {};
  return visit_block(key, detail::record_visitor::of(seen)).value_or(false);
}

result<bool> bucket<record>::visit_block(value_view key, detail::record_visitor visitor) const {
  if (in_) [[unlikely]]
    return in_->visit(key, visitor);
  if (!core_->is_open()) [[unlikely]]
    return fail(*core_->closed());
  return with_record(
      key, [&](const detail::record_block& found) { visitor.call(visitor.context, found); });
}

selection bucket<record>::everything() const {
  return in_ ? selection{in_, query{}} : selection{core_, query{}, when_};
}
selection bucket<record>::where(filter which) const {
  if (in_)
    return selection{in_, query{std::move(which)}};
  return selection{core_, query{std::move(which)}, when_};
}
pending<records> bucket<record>::all() const { return everything().all(); }
pending<record> bucket<record>::find_one(filter which) const {
  return where(std::move(which)).find_one();
}
pending<std::uint64_t> bucket<record>::count() const { return everything().count(); }
pending<std::uint64_t> bucket<record>::count(filter which) const {
  return where(std::move(which)).count();
}
pending<records> bucket<record>::first(std::int64_t n) const { return everything().first(n); }
pending<records> bucket<record>::last(std::int64_t n) const { return everything().last(n); }

} // namespace holdfast
