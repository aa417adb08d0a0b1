#include <holdfast/runtime/detail/caller_unit.hpp>

namespace holdfast::detail {

caller_unit::~caller_unit() {
  // An actor that is captured and not run would hang the system's shutdown.
  if (captured_)
    system().scheduler().enqueue(captured_);
}

void caller_unit::exec_later(caf::resumable* what) {
  if (what == armed_ && !captured_)
    captured_ = what;
  else
    system().scheduler().enqueue(what);
}

void caller_unit::run_captured(std::size_t budget) {
  armed_ = nullptr;
  if (auto* what = std::exchange(captured_, nullptr))
    run(what, budget);
}

void caller_unit::run(caf::resumable* what, std::size_t budget) {
  auto result = [&] {
    actor_scope inside;
    return what->resume(this, budget);
  }();
  switch (result) {
  case caf::resumable::resume_later:
    system().scheduler().enqueue(what);
    break;
  case caf::resumable::done:
  case caf::resumable::awaiting_message:
    caf::intrusive_ptr_release(what);
    break;
  case caf::resumable::shutdown_execution_unit:
    break;
  }
}

} // namespace holdfast::detail
