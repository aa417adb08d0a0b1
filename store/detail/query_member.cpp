#include <holdfast/store/detail/query_member.hpp>

namespace holdfast::detail {

bool same_outcome(const result<query_value>& a, const result<query_value>& b) {
  if (a.has_value() != b.has_value())
    return false;
  if (!a)
    return a.error().code() == b.error().code() && a.error().message() == b.error().message();
  try {
    return *a == *b;
  } catch (...) { // the user's; it must not end the query manager, which would ask again
    return false;
  }
}

void query_member::take(const query_event& e,
                        const std::function<void(const query_update&)>& call) {
  // Values that were replaced while they waited may have been others: it may be the same again.
  const auto before = std::exchange(number_, e.number);
  if (last_ && e.number == before)
    return; // told once more, for the telling had broken off
  const auto next = e.number == before + 1;
  if (last_ && !next && same_outcome(*last_, e.outcome))
    return;
  last_ = e.outcome;
  const auto had = std::exchange(value_, e.outcome ? std::optional{*e.outcome} : value_);
  of_->delivered.fetch_add(1, std::memory_order_relaxed);
  call({.outcome = e.outcome,
        .memory_seq = e.at.of(line_kind::memory),
        .durable_seq = e.at.of(line_kind::durable),
        .initial = e.initial,
        .before = had ? &*had : nullptr});
}

} // namespace holdfast::detail
