#include <holdfast/store/detail/bulk_writes.hpp>

#include <holdfast/store/detail/execute.hpp>
#include <holdfast/store/detail/write_checks.hpp>
#include <holdfast/store/detail/write_errors.hpp>

namespace holdfast::detail {
namespace {

std::vector<draft> drafts_of(const compiled_schema& schema, const std::vector<object>& list) {
  std::vector<draft> out;
  out.reserve(list.size());
  for (auto& fields : list)
    out.emplace_back(schema, fields);
  return out;
}

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

insert_many_operation::insert_many_operation(ref<bucket_core> to, durability acked,
                                             const write_options& how,
                                             const std::vector<object>& list)
    : write_operation{std::move(to), acked}, how_{how}, drafts_{
                                                            drafts_of(bucket().schema(), list)} {}

result<records> insert_many_operation::apply(commit_scope& scope) {
  if (auto wrong = check_bulk(scope.home().name(), how_))
    return fail(std::move(*wrong));
  records out;
  out.reserve(drafts_.size());
  for (std::size_t i = 0; i < drafts_.size(); ++i) {
    auto added = scope.insert(scope.home(), drafts_[i], how_);
    if (!added)
      return fail(numbered(added.error(), i, drafts_.size(), scope.home(), drafts_[i].key()));
    out.push_back(record::share(*added));
  }
  return out;
}

upsert_many_operation::upsert_many_operation(ref<bucket_core> to, durability acked,
                                             const write_options& how,
                                             const std::vector<object>& list)
    : write_operation{std::move(to), acked}, how_{how}, drafts_{
                                                            drafts_of(bucket().schema(), list)} {}

result<records> upsert_many_operation::apply(commit_scope& scope) {
  auto& b = scope.home();
  if (auto wrong = check_bulk(b.name(), how_))
    return fail(std::move(*wrong));
  records out;
  out.reserve(drafts_.size());
  for (std::size_t i = 0; i < drafts_.size(); ++i) {
    auto* old = scope.find(b, drafts_[i].key());
    auto stored = old ? scope.update(b, *old, drafts_[i], cause::user, how_)
                      : scope.insert(b, drafts_[i], how_);
    if (!stored)
      return fail(numbered(stored.error(), i, drafts_.size(), b, drafts_[i].key()));
    out.push_back(record::share(*stored));
  }
  return out;
}

result<std::uint64_t> update_many_operation::apply(commit_scope& scope) {
  auto& b = scope.home();
  if (auto wrong = check_bulk(b.name(), how_))
    return fail(std::move(*wrong));
  auto found = found_by(which_, scope);
  if (!found)
    return fail(std::move(found.error()));
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
