// Writes of many records within a transaction: all or none of them.
#include <holdfast/store/detail/transaction_part.hpp>

#include <holdfast/store/detail/execute.hpp>
#include <holdfast/store/detail/transaction_state.hpp>
#include <holdfast/store/detail/validation.hpp>
#include <holdfast/store/detail/write_checks.hpp>
#include <holdfast/store/detail/write_errors.hpp>

namespace holdfast::detail {

/// The records to be written that a filter finds, as the transaction sees them; notes that it
/// looked.
result<records> transaction_part::matching(const filter& which) {
  if (auto why = refusal())
    return fail(std::move(*why));
  const query all_of{which};
  return read([&](const reader& from, std::int64_t at) {
    reads_.add_query(all_of, std::nullopt);
    return all(from, all_of, at);
  });
}

result<records> transaction_part::put_many(const std::vector<object>& list,
                                           const write_options& how, putting as) {
  if (auto why = refusal())
    return fail(std::move(*why));
  if (auto wrong = check_bulk(schema(), how, of_->now()))
    return fail(std::move(*wrong));
  records out;
  out.reserve(list.size());
  return of_->all_or_nothing([&]() -> result<records> {
    for (std::size_t i = 0; i < list.size(); ++i) {
      draft mine{schema(), list[i]};
      auto* old = as == putting::upsert ? find(mine.key()) : nullptr;
      auto stored = old ? put_next(*old, mine, how) : put_new(mine, how);
      if (!stored)
        return fail(numbered(stored.error(), i, list.size(), *core_, mine.key()));
      out.push_back(record::share(*stored));
    }
    return std::move(out);
  });
}

result<std::uint64_t> transaction_part::update_many(const filter& which, const draft& changes,
                                                    const write_options& how) {
  if (auto why = refusal())
    return fail(std::move(*why));
  if (auto wrong = check_bulk(schema(), how, of_->now()))
    return fail(std::move(*wrong));
  auto found = matching(which);
  if (!found)
    return fail(std::move(found.error()));
  if (found->empty()) {
    auto alone = changes.rebound(schema());
    if (auto wrong = check_changes(alone))
      return fail(std::move(*wrong));
  }
  return of_->all_or_nothing([&]() -> result<std::uint64_t> {
    for (std::size_t i = 0; i < found->size(); ++i) {
      auto key = (*found)[i].key();
      auto mine = changes.rebound(schema()); // a copy: checking changes it
      if (auto stored = put_next(*find(key), mine, how); !stored)
        return fail(numbered(stored.error(), i, found->size(), *core_, key));
    }
    return found->size();
  });
}

result<std::uint64_t> transaction_part::erase_many(const filter& which) {
  auto found = matching(which);
  if (!found)
    return fail(std::move(found.error()));
  return of_->all_or_nothing([&]() -> result<std::uint64_t> {
    for (auto& each : *found)
      if (auto* block = find(each.key())) // else it went with one that it referred to
        if (auto erased = put_erased(*block); !erased)
          return fail(std::move(erased.error()));
    return found->size();
  });
}

} // namespace holdfast::detail
