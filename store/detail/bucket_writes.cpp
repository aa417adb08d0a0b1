#include <holdfast/store/detail/bucket_writes.hpp>

#include <holdfast/store/detail/write_checks.hpp>
#include <holdfast/store/detail/write_errors.hpp>

namespace holdfast::detail {
namespace {

result<record> handle_to(result<record_block*> stored) {
  if (!stored)
    return fail(std::move(stored.error()));
  return record::share(*stored);
}

} // namespace

result<record> insert_operation::apply(commit_scope& scope) {
  auto key = draft_.key();
  if (how_.expected_version)
    if (auto other = version_error(scope.home().name(), key, scope.find(scope.home(), key), how_))
      return fail(std::move(*other));
  return handle_to(scope.insert(scope.home(), draft_, how_));
}

result<record> update_operation::apply(commit_scope& scope) {
  auto* old = scope.find(scope.home(), key_);
  if (auto other = version_error(scope.home().name(), key_, old, how_))
    return fail(std::move(*other));
  if (!old)
    return fail(no_record(scope.home(), key_));
  return handle_to(scope.update(scope.home(), *old, draft_, cause::user, how_));
}

result<record> touch_operation::apply(commit_scope& scope) {
  auto& b = scope.home();
  auto* old = scope.find(b, key_);
  if (auto other = version_error(b.name(), key_, old, how_))
    return fail(std::move(*other));
  if (!old)
    return fail(no_record(b, key_));
  auto how = how_;
  if (auto wrong = complete_touch(b.schema(), how))
    return fail(std::move(*wrong));
  draft nothing{b.schema()};
  return handle_to(scope.update(b, *old, nothing, cause::user, how));
}

result<record> upsert_operation::apply(commit_scope& scope) {
  auto* old = scope.find(scope.home(), draft_.key());
  if (auto other = version_error(scope.home().name(), draft_.key(), old, how_))
    return fail(std::move(*other));
  return handle_to(old ? scope.update(scope.home(), *old, draft_, cause::user, how_)
                       : scope.insert(scope.home(), draft_, how_));
}

result<record> erase_operation::apply(commit_scope& scope) {
  auto* old = scope.find(scope.home(), key_);
  if (auto other = version_error(scope.home().name(), key_, old, how_))
    return fail(std::move(*other));
  if (!old)
    return fail(no_record(scope.home(), key_));
  auto last = record::share(old);
  if (auto erased = scope.erase(scope.home(), *old); !erased)
    return fail(std::move(erased.error()));
  return last;
}

result<std::uint64_t> clear_operation::apply(commit_scope& scope) {
  return scope.clear(scope.home());
}

} // namespace holdfast::detail
