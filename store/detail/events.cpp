#include <holdfast/store/detail/events.hpp>

#include <algorithm>

namespace holdfast::detail {

namespace {
/// Commits that are told before other messages of the bus get their turn.
constexpr std::size_t commits_per_pull = 256;
} // namespace

store_events::source::source(event_bus b, std::shared_ptr<commit_lines> l)
    : bus{std::move(b)}, lines{std::move(l)}, reader{[to = bus] { to.wake(); }} {}

bool store_events::source::pull(const deliver& to) {
  const auto done = lines->feed.read(reader, commits_per_pull, [&](const auto& next) {
    if (next != at) {
      at = next;
      told = 0;
    }
    for (; told < next->changes.size(); ++told) {
      auto& one = next->changes[told];
      to({next, &one.where()}, {next, &one});
    }
  });
  if (done != feed::reading::at_end)
    return true;
  at = nullptr;
  const std::lock_guard lock(mutex);
  if (bus.subscribers() == 0) {
    lines->feed.stop(reader);
    names.clear();
    all = false;
  }
  return false;
}

/// Under the mutex. What nobody subscribes to any more stays wanted until nobody subscribes at all.
void store_events::source::want(const topic_pattern& what) {
  const auto segments = what.segments();
  const auto by_name = segments.size() > 1 && segments[0] != "**" && !segments[1].starts_with('*');
  all = all || !by_name;
  if (!all && std::ranges::find(names, segments[1]) == names.end())
    names.emplace_back(segments[1]);
  constexpr std::size_t most_names = 16; // each commit is compared with all of them
  all = all || names.size() > most_names;
}

std::shared_ptr<const feed_interest> store_events::source::interest() const {
  return all ? nullptr
             : std::make_shared<const feed_interest>(feed_interest{.names = names, .buckets = {}});
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
