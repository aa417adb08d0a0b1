#include <holdfast/store/transaction.hpp>

#include <holdfast/runtime/ensure.hpp>
#include <holdfast/store/detail/transaction_state.hpp>

namespace holdfast {

result<bucket<>> transaction::bucket(std::string_view name) {
  return state_.part(name).map(
      [](ref<detail::transaction_part> part) { return holdfast::bucket<>{std::move(part)}; });
}

bucket<> transaction::in(const holdfast::bucket<>& b) {
  ensure(&b.core().lines() == &state_.lines(), "transaction::in: a bucket of another store");
  return holdfast::bucket<>{state_.part_of(ref<detail::bucket_core>{&b.core()})};
}

timestamp transaction::now() const noexcept { return state_.now(); }

struct transaction::nested_part::place {
  detail::transaction_state::savepoint at;
};

transaction::nested_part::nested_part(transaction& of)
    : of_{of}, begin_{std::make_unique<place>(place{of.state_.mark()})} {}

transaction::nested_part::~nested_part() {
  if (!kept_)
    of_.state_.rollback(begin_->at);
}

namespace detail {

result<void> transact(commit_lines& lines, runtime& rt, const store_state* in, durability level,
                      const transact_options& options, transaction_body body) {
  ensure(!runtime::inside_actor(), "store::transact: a blocking call inside an actor");
  const time_limit until{rt.clock(), options.timeout};
  std::optional<right_of_way::holder> way;
  std::optional<error> rerun_for; // the last conflict
  const auto late = [&](const error& e) {
    return fail(rerun_for && e == errc::timeout ? e.because(*rerun_for) : e);
  };
  for (int again = 0;; ++again) {
    transaction_state state{lines, rt, in, until};
    transaction attempt{state};
    if (auto outcome = body.call(body.context, attempt); !outcome)
      return until.passed() ? late(outcome.error()) : outcome;
    std::optional<conflict> met;
    auto done = state.commit(options.durability.value_or(level), met);
    if (!met || again >= options.retries + options.exclusive_retries)
      return done ? std::move(done) : late(done.error());
    rerun_for = met->what;
    if (again >= options.retries && !way)
      way.emplace(lines.way, until);
    for (auto& part : state.parts())
      if (way && way->has_it())
        way->cover(part->core().id());
    if (until.passed())
      return late(too_late(until));
    // Only when the other commit is published can a snapshot have it.
    if (auto seen = met->in->wait_published(met->by, until); !seen)
      return late(seen.error());
  }
}

} // namespace detail
} // namespace holdfast
