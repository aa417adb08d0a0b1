// How a transaction ends: everything it read is compared with the buckets' heads, and everything it
// wrote becomes one commit.
#include <holdfast/store/detail/transaction_state.hpp>

#include <holdfast/runtime/fault.hpp>
#include <holdfast/store/detail/read_key.hpp>
#include <holdfast/store/detail/store_state.hpp>
#include <holdfast/store/detail/transaction_operation.hpp>
#include <holdfast/store/detail/validation_check.hpp>
#include <holdfast/store/detail/write_errors.hpp>

#include <algorithm>

namespace holdfast::detail {
namespace {

conflict conflict_of(transaction_part& read, std::string_view what, location where, sequence by) {
  auto& b = read.core();
  where.bucket = b.name();
  auto text = b.name() + ": " + std::string{what} + ", read at " + std::to_string(read.seq()) +
              ", was changed by commit " + std::to_string(by);
  return {error{errc::conflict, std::move(text), std::move(where),
                commit_conflict{read.seq(), by, b.durable()}},
          ref<bucket_core>{&b}, by};
}

conflict conflict_of(transaction_part& read, value_view key, sequence by) {
  return conflict_of(read, "the record " + shown(key), {.key = key.to_string()}, by);
}

sequence commit_of(const record_block* before, const record_block* after) noexcept {
  return after ? after->birth.load(std::memory_order_relaxed)
               : before->death.load(std::memory_order_relaxed);
}

/// Whose pipeline the commit goes through: a persistent bucket if one is written to.
bucket_core& home_of(std::span<transaction_part* const> written) {
  auto found = std::ranges::find_if(written, [](auto* p) { return p->core().durable(); });
  return (found == written.end() ? written[0] : *found)->core();
}

conflict ended(transaction_part& read, const record_block& version, std::string_view how) {
  auto& b = read.core();
  const auto key = key_of(version);
  auto text = b.name() + ": the record " + shown(key) + ", " + std::string{how} +
              ", has come to its deadline since";
  return {error{errc::conflict,
                std::move(text),
                {.bucket = b.name(), .key = key.to_string()},
                commit_conflict{read.seq(), read.seq(), b.durable()}},
          ref<bucket_core>{&b}, read.seq()};
}

/// A record that it wrote and whose deadline has come since: what it read of its own is not so.
std::optional<conflict> find_own_ended(transaction_part& part, std::int64_t at) {
  if (part.own().has_deadlines())
    for (auto& e : part.own().entries())
      if (e.changes() && e.after && expired(*e.after, at))
        return ended(part, *e.after, "written by the transaction");
  return std::nullopt;
}

/// A record that was read as there and whose deadline has come since. To commit nevertheless would
/// bring it to life again for those who have seen it gone.
std::optional<conflict> find_ended(transaction_part& read, std::int64_t at) {
  if (!read.has_deadlines())
    return std::nullopt;
  const auto how = "read at " + std::to_string(read.seq());
  for (auto* version : read.reads().found())
    if (expired(*version, at))
      return ended(read, *version, how);
  std::optional<conflict> met;
  if (read.reads().has_ranges())
    read.each_ended(read.now(), at, [&](const record_block& version) {
      if (read.reads().touched_by(read.schema().layout(), &version, nullptr))
        met = ended(read, version, how);
      return !met;
    });
  return met;
}

} // namespace

std::optional<conflict> find_conflict(transaction_part& read, const time_limit& until) {
  auto& b = read.core();
  if (&b.data() != &read.form().data)
    return conflict_of(read, "the definition", {}, b.at(never).birth);
  if (read.counted_from() && *read.counted_from() != b.made().counter())
    return conflict_of(read, "the counter", {}, b.data().sealed_seq());
  const auto later = b.now().time_since_epoch().count();
  if (auto met = find_ended(read, later))
    return met;
  if (auto met = find_own_ended(read, later))
    return met;
  if (b.data().sealed_seq() <= read.seq()) [[likely]]
    return std::nullopt;
  for (auto* version : read.reads().found())
    if (auto death = version->death.load(std::memory_order_relaxed); death != never)
      return conflict_of(read, key_of(*version), death);
  for (auto* version : read.purged())
    if (auto death = version->death.load(std::memory_order_relaxed); death != never)
      return conflict_of(read, key_of(*version), death);
  // That something which had expired is gone, or is still there, makes no difference.
  const auto at = read.now();
  for (auto& key : read.reads().absent())
    if (auto* now = b.find_head(key_of(key)); now && !expired(*now, at))
      return conflict_of(read, key, now->birth.load(std::memory_order_relaxed));
  std::optional<conflict> met;
  constexpr unsigned between_looks = 64;
  unsigned looked_at = 0;
  const auto as_seen = [](const record_block* version, std::int64_t when) {
    return version && !expired(*version, when) ? version : nullptr;
  };
  if (read.reads().has_ranges())
    b.data().each_change_since(read.seq(), [&](auto* before, auto* after) {
      if (!after && expired(*before, at))
        return true;
      if (auto what = read.reads().touched_by(read.schema().layout(), as_seen(before, at),
                                              as_seen(after, later)))
        met = conflict_of(read, shortened(*what),
                          {.key = key_of(after ? *after : *before).to_string()},
                          commit_of(before, after));
      // Others wait meanwhile. When the time is over the commit does not come to pass.
      return !met && (++looked_at % between_looks != 0 || !until.passed());
    });
  return met;
}

namespace {

/// Who commits in memory is seen at once, between what is published in the durable line and what is
/// sealed there. So what it read there must be so in each of the states that are still to be
/// published, and not only in the last: that of which something was changed and changed back again
/// is none of these.
std::optional<conflict> find_passing(transaction_part& read) {
  auto& b = read.core();
  const auto at = read.now();
  std::optional<conflict> met;
  b.data().each_passing_since(read.seq(), [&](auto* before, auto* version) {
    const auto by = version->birth.load(std::memory_order_relaxed);
    const auto key = key_of(*version);
    const auto* seen = before && !expired(*before, at) ? before : nullptr;
    if (auto what = read.reads().touched_by(read.schema().layout(), seen, version))
      met = conflict_of(read, shortened(*what), {.key = key.to_string()}, by);
    else if (!seen && std::ranges::any_of(read.reads().absent(),
                                          [&](auto& one) { return value_view{one} == key; }))
      met = conflict_of(read, key, by);
    return !met;
  });
  return met;
}

} // namespace

std::vector<transaction_part*> transaction_state::written() const {
  std::vector<transaction_part*> out;
  for (auto& p : parts_)
    if (p->changed())
      out.push_back(p.get());
  return out;
}

result<void> transaction_state::check_writable(std::span<transaction_part* const> written,
                                               durability level) const {
  for (auto* p : written) {
    auto& b = p->core();
    if (auto wrong = check_level(b, level))
      return fail(std::move(*wrong));
    if (auto refused = b.admit(until_))
      return fail(std::move(*refused));
    if (auto refused = b.address().refused())
      return fail(std::move(*refused).at({.bucket = b.name()}));
  }
  return {};
}

namespace {

void edit_part(commit_scope& scope, transaction_part& p) {
  auto& b = p.core();
  p.own().each_change([&](const own_write& e) {
    if (e.before && e.after && !e.begins_anew())
      return scope.replace(b, *e.before, *e.after);
    if (e.before && e.before->death.load(std::memory_order_relaxed) == never)
      scope.erase_later(b, *e.before); // else it had expired, and was purged meanwhile
    if (e.after)
      scope.insert(b, *e.after);
  });
  if (p.counter() > b.made().counter())
    scope.count_to(b, p.counter());
}

} // namespace

/// With the turns: looks at what was read, then does what was written.
result<void> transaction_state::edit(commit_scope& scope,
                                     std::span<transaction_part* const> written,
                                     std::optional<conflict>& met) {
  for (auto& p : parts_) {
    if (auto closed = p->core().closed())
      return fail(std::move(*closed));
    if (bug_point("transaction.unwritten") && !p->changed()) [[unlikely]]
      continue;
    auto found = find_conflict(*p, *until_);
    if (!found && p->core().durable() && !scope.home().durable())
      found = find_passing(*p);
    if (found) {
      met = std::move(*found);
      return fail(met->what);
    }
  }
  if (auto refused = scope.home().refusal())
    return fail(std::move(*refused));
  for (auto* p : written)
    edit_part(scope, *p);
  if (!scope.changed()) // all that it did was to erase what had expired and is purged by now
    return {};
  auto ready = scope.prepare();
  if (!ready && ready.error() == errc::broken_reference)
    told_by_ = scope.looks_at();
  if (ready || ready.error() != errc::duplicate)
    return ready;
  // A unique value may be taken by a record that this transaction could not see.
  for (auto* p : written)
    if (scope.clash_in() == &p->core() && scope.clash_born() > p->seq())
      met = conflict_of(*p, ready.error().message(), ready.error().where(), scope.clash_born());
  return met ? fail(met->what) : ready;
}

error too_late(const time_limit& until) {
  return error{errc::timeout, "transaction: not committed within " +
                                  std::to_string(until.length().count()) + " ms; nothing happened"};
}

result<void> transaction_state::commit(durability level, std::optional<conflict>& met) {
  const auto changed = written();
  if (changed.empty()) {
    if (auto late = lateness())
      return fail(std::move(*late));
    return {};
  }
  if (auto writable = check_writable(changed, level); !writable)
    return writable;
  auto& home = home_of(changed);
  try {
    auto op = make_ref<transaction_operation>(runtime_, level);
    auto sealed = seal(*op, changed, met);
    if (!sealed) {
      // What a reference says of other records is what readers find.
      if (auto seen = home.wait_published(told_by_, *until_); !met && !seen)
        return fail(std::move(seen.error()));
      return fail(std::move(sealed.error()));
    }
    if (*sealed == sealing::published)
      return {};
    if (op->wait_until(until_->wake_up()))
      return op->take().map([](std::monostate) {});
  } catch (const std::bad_alloc&) {
    return fail(home.out_of_memory());
  } catch (const std::exception& e) { // nothing is thrown once it is sealed
    return fail(errc::bucket_crashed,
                home.name() + ": the commit of a transaction failed: " + e.what(),
                {.bucket = home.name()});
  }
  return fail(errc::outcome_unknown,
              home.name() + ": the commit of a transaction was not published in time",
              {.bucket = home.name()});
}

/// Whose turns the commit needs; nothing if the time was over before that was known.
std::optional<participants>
transaction_state::find_participants(std::span<transaction_part* const> written) const {
  participants all;
  for (auto& p : parts_)
    all.add(ref<bucket_core>{&p->core()});
  for (auto* p : written)
    if (!all.add_written(p->core(), *until_))
      return std::nullopt;
  return all;
}

/// Under the turns, which it takes, and gives back unless the operation keeps some.
result<sealing> transaction_state::seal(transaction_operation& into,
                                        std::span<transaction_part* const> written,
                                        std::optional<conflict>& met) {
  auto& home = home_of(written);
  const gate::pass inside{lines_.transactions};
  if (!inside)
    return fail(errc::stopped, home.name() + ": the store has stopped", {.bucket = home.name()});
  struct closing {
    transaction_operation& op;
    ~closing() { op.close(); }
  } const at_the_end{into};
  for (;;) {
    auto all = find_participants(written);
    auto* scope = all ? into.open(home, std::move(*all), *until_) : nullptr;
    if (!scope)
      return fail(too_late(*until_));
    if (!into.members().still_linked(written)) [[unlikely]] {
      into.close();
      if (until_->passed())
        return fail(too_late(*until_));
      continue;
    }
    if (auto done = edit(*scope, written, met); !done)
      return fail(std::move(done.error()));
    if (!scope->changed())
      return sealing::published;
    if (until_->passed()) // at the last moment at which nothing has happened
      return fail(too_late(*until_));
    auto sealed = into.seal();
    if (sealed == sealing::refused)
      return fail(*home.refusal());
    return sealed;
  }
}

} // namespace holdfast::detail
