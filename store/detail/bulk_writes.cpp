#include <holdfast/store/detail/bulk_writes.hpp>

#include <holdfast/store/detail/execute.hpp>
#include <holdfast/store/detail/validation.hpp>
#include <holdfast/store/detail/write_checks.hpp>
#include <holdfast/store/detail/write_errors.hpp>

namespace holdfast::detail {
namespace {

/// The records that a filter finds in what was sealed before the commit, in the bucket's order:
/// what will be published before it.
result<records> found_by(const filter& which, commit_scope& scope) {
  auto& b = scope.home();
  const pin_guard pin{b.line()};
  const read_view view{b.data(), b.data().sealed_seq()};
  const auto now = scope.now().time_since_epoch().count();
  const reader from{b.schema(), view,
                    view.expired_count(now) > 0 ? expiry::possible : expiry::none};
  return all(from, query{which}, now);
}

} // namespace

put_many_operation::put_many_operation(ref<bucket_core> to, durability acked,
                                       const write_options& how, putting as,
                                       const std::vector<object>& list)
    : write_operation{std::move(to), acked}, how_{how}, as_{as} {
  drafts_.reserve(list.size());
  for (auto& fields : list)
    drafts_.emplace_back(bucket().schema(), fields);
}

result<records> put_many_operation::apply(commit_scope& scope) {
  auto& b = scope.home();
  if (auto wrong = check_bulk(b.schema(), how_, scope.now()))
    return fail(std::move(*wrong));
  records out;
  out.reserve(drafts_.size());
  for (std::size_t i = 0; i < drafts_.size(); ++i) {
    auto& input = drafts_[i];
    auto* old = as_ == putting::upsert ? scope.find(b, input.key()) : nullptr;
    auto stored =
        old ? scope.update(b, *old, input, cause::user, how_) : scope.insert(b, input, how_);
    if (!stored)
      return fail(numbered(stored.error(), i, drafts_.size(), b, input.key()));
    out.push_back(record::share(*stored));
  }
  return out;
}

result<std::uint64_t> update_many_operation::apply(commit_scope& scope) {
  auto& b = scope.home();
  if (auto wrong = check_bulk(b.schema(), how_, scope.now()))
    return fail(std::move(*wrong));
  if (&draft_.schema() != &b.schema()) [[unlikely]]
    draft_ = draft_.rebound(b.schema()); // once, so that what follows copies bytes
  auto found = found_by(which_, scope);
  if (!found)
    return fail(std::move(found.error()));
  if (found->empty())
    if (auto wrong = check_changes(draft_))
      return fail(std::move(*wrong));
  for (std::size_t i = 0; i < found->size(); ++i) {
    auto key = (*found)[i].key();
    auto changes = draft_.rebound(b.schema()); // a copy: checking changes it
    auto* old = scope.find(b, key);
    if (!old)
      return fail(numbered(no_record(b, key), i, found->size()));
    if (auto stored = scope.update(b, *old, changes, cause::user, how_); !stored)
      return fail(numbered(stored.error(), i, found->size(), b, key));
  }
  return found->size();
}

result<std::uint64_t> erase_many_operation::apply(commit_scope& scope) {
  auto& b = scope.home();
  auto found = found_by(which_, scope);
  if (!found)
    return fail(std::move(found.error()));
  for (std::size_t i = 0; i < found->size(); ++i)
    if (auto* old = scope.find(b, (*found)[i].key())) // else it went with one that it referred to
      if (auto erased = scope.erase(b, *old); !erased)
        return fail(numbered(erased.error(), i, found->size()));
  return found->size();
}

} // namespace holdfast::detail
