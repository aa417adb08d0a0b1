#include <holdfast/store/detail/purge.hpp>

#include <holdfast/store/detail/read_view.hpp>
#include <holdfast/store/detail/write_errors.hpp>

#include <algorithm>

namespace holdfast::detail {

bool is_about_a_record(const error& e) noexcept {
  return e == errc::invalid || e == errc::duplicate || e == errc::broken_reference;
}

result<purge_step> purge_operation::apply(commit_scope& scope) {
  auto& b = scope.home();
  std::vector<record_block*> found;
  found.reserve(most_);
  b.data().find_expired(scope.now().time_since_epoch().count(), progress_->reached, most_, found);
  purge_step step{0, found.size() == most_};
  for (auto* block : found) {
    progress_->reached = {block->expires_at, block->row};
    const auto gone_already = block->death.load(std::memory_order_relaxed) != never; // with others
    if (!gone_already) {
      if (scope.is_kept(b, *block))
        continue;
      if (auto gone = scope.erase(b, *block, cause::ttl); !gone)
        return fail(std::move(gone.error()));
    }
    ++step.removed;
  }
  return step;
}

std::optional<error> purge_pass::refusal(const bucket_core& b, durability level) {
  if (auto wrong = check_level(b, level))
    return wrong;
  return b.closed();
}

bool purge_pass::is_due(bucket_core& b) {
  const pin_guard pin{b.line()};
  const read_view now{b.at(pin.seq()).data, pin.seq()};
  return now.has_deadlines() && now.expired_count(b.now().time_since_epoch().count()) > 0;
}

pending<purge_step> purge_pass::next() {
  progress_->reached = from_;
  return pending<purge_step>{
      ref<operation<purge_step>>{new purge_operation{of_, level_, at_once_, progress_}}};
}

void purge_pass::took(const result<purge_step>& done) {
  if (done) {
    removed_ += done->removed;
    ended_ = !done->more;
    at_once_ = std::min(2 * at_once_, most_at_once);
  } else if (!is_about_a_record(done.error())) {
    ended_ = true;
    failure_ = done.error();
    return;
  } else if (at_once_ > 1) {
    at_once_ /= 2;
    return; // again, from the same place
  }
  from_ = progress_->reached;
}

result<std::uint64_t> purge(ref<bucket_core> of, durability level) {
  if (auto why = purge_pass::refusal(*of, level))
    return fail(std::move(*why));
  if (!purge_pass::is_due(*of))
    return 0;
  purge_pass pass{std::move(of), level};
  while (!pass.ended())
    pass.took(pass.next().get());
  if (pass.failure())
    return fail(*pass.failure());
  return pass.removed();
}

} // namespace holdfast::detail
