#include <holdfast/store/detail/events.hpp>

namespace holdfast::detail {

namespace {
/// Commits that are told before other messages of the bus get their turn.
constexpr std::size_t commits_per_pull = 256;
} // namespace

store_events::source::source(event_bus b, std::shared_ptr<commit_lines> l)
    : bus{std::move(b)}, lines{std::move(l)}, reader{[to = bus] { to.wake(); }} {}

bool store_events::source::pull(const deliver& to) {
  auto more = lines->feed.read(reader, commits_per_pull, [&](const auto& next) {
    if (next != at) {
      at = next;
      told = 0;
    }
    for (; told < next->changes.size(); ++told) {
      auto& one = next->changes[told];
      to({next, &one.where()}, {next, &one});
    }
  });
  if (more)
    return true;
  at = nullptr;
  const std::lock_guard lock(mutex);
  if (bus.subscribers() == 0)
    lines->feed.stop(reader);
  return false;
}

store_events::store_events(runtime& rt, std::shared_ptr<commit_lines> lines)
    : bus_{rt}, source_{std::make_shared<source>(bus_, std::move(lines))} {
  bus_.pull_from(source_);
}

store_events::~store_events() {
  source_->lines->feed.stop(source_->reader);
  bus_.pull_from(nullptr);
}

} // namespace holdfast::detail
