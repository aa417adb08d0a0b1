#include <holdfast/store/detail/update_as_read.hpp>

#include <holdfast/store/detail/shown.hpp>
#include <holdfast/store/detail/write_errors.hpp>
#include <holdfast/store/detail/write_operation.hpp>
#include <holdfast/store/draft.hpp>

#include <algorithm>
#include <utility>

namespace holdfast::detail {

namespace {

/// Holds what was read, so that nothing else can stand at its address.
class update_as_read_operation final : public write_operation<record> {
public:
  update_as_read_operation(ref<bucket_core> to, durability acked, record read,
                           const object& changes)
      : write_operation{std::move(to), acked}, read_{std::move(read)}, draft_{bucket().schema(),
                                                                              changes} {}

private:
  result<record> apply(commit_scope& scope) override {
    auto& b = scope.home();
    auto* now = scope.find(b, read_.key());
    if (now != read_.block())
      return fail(changed(b));
    return scope.update(b, *now, draft_).map([](record_block* stored) {
      return record::share(stored);
    });
  }

  /// Whatever changed it: this is told when all that is sealed here can be seen.
  error changed(bucket_core& b) const {
    const auto key = read_.key();
    return error{errc::conflict,
                 b.name() + ": " + shown(key) + ": the record was changed since it was read",
                 {.bucket = b.name(), .key = key.to_string()},
                 commit_conflict{read_.block()->birth.load(std::memory_order_relaxed),
                                 std::max(b.data().sealed_seq(), b.at(never).birth), b.durable()}};
  }

  const record read_;
  draft draft_;
};

} // namespace

pending<record> update_as_read(const ref<bucket_core>& in, durability level, record read,
                               const object& changes) {
  if (auto wrong = check_level(*in, level))
    return result<record>{fail(std::move(*wrong))};
  if (auto why = in->closed())
    return result<record>{fail(std::move(*why))};
  return pending<record>{
      ref<operation<record>>{new update_as_read_operation{in, level, std::move(read), changes}}};
}

} // namespace holdfast::detail
