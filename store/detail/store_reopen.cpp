#include <holdfast/store/detail/store_state.hpp>

#include <holdfast/store/detail/store_operations.hpp>

#include <algorithm>

namespace holdfast::detail {

// Nothing is sealed on the durable line from the failure to `go_on`, whatever happens here; so
// buckets go back one by one, and when this fails halfway it can begin again.
result<reopen_report> store_state::reopen() {
  std::lock_guard one_at_a_time{definitions_};
  if (auto over = stopped())
    return fail(std::move(*over));
  finish_open_changes();
  if (!pipe_)
    return fail(errc::invalid_argument, options_.name + ": the store has no journal to reopen");
  if (options_.read_only)
    return fail(errc::invalid_argument,
                options_.name + ": reopen: it was opened read-only; stop it and start it anew");
  if (!pipe_->refusal()) {
    const auto last = lines_->durable.published();
    return reopen_report{.was_writing = true, .epoch = epoch_, .found = last, .published = last};
  }
  auto mended = pipe_->mend();
  if (!mended)
    return fail(error{mended.error().code(),
                      options_.name + ": reopen: " + mended.error().message(),
                      mended.error().where(), mended.error().detail()}
                    .because(mended.error()));
  finish_open_changes(); // the outcomes that were not known before; then what is on disk decides
  auto stored = read_catalog();
  if (!stored)
    return fail(std::move(stored.error()));
  for (auto& core : all())
    if (core->durable())
      core->rewind(mended->target);
  close_dropped(*stored); // first: who is woken must not find them open, and nobody write to them
  pipe_->go_on(mended->target);
  epoch_ = mended->epoch;
  link_buckets(); // a new definition may have been taken, or taken back
  forget_dropped(*stored);
  if (auto done = erase_orphans(*stored); !done)
    return fail(std::move(done.error()));
  return reopen_report{.epoch = mended->epoch,
                       .found = mended->found,
                       .published = mended->published,
                       .taken = mended->target - mended->published,
                       .rewritten = mended->rewritten};
}

/// The ids of the buckets that the journal knows.
result<std::vector<bucket_id>> store_state::read_catalog() {
  std::vector<bucket_id> ids;
  const auto take = [&](std::string_view key, std::string_view) -> result<void> {
    ids.push_back(static_cast<bucket_id>(read_big_endian(key.substr(1))));
    return {};
  };
  auto done = calling_journal(options_.name, "read",
                              [&] { return options_.journal->scan("c", "d", take); });
  if (!done)
    return fail(std::move(done.error()));
  return ids;
}

namespace {
bool is_dropped(const bucket_core& core, const std::vector<bucket_id>& stored) {
  return core.durable() && std::ranges::find(stored, core.id()) == stored.end();
}
} // namespace

/// A drop whose outcome was unknown has happened after all.
void store_state::close_dropped(const std::vector<bucket_id>& stored) {
  for (auto& core : all())
    if (is_dropped(*core, stored))
      core->close(errc::dropped);
}
void store_state::forget_dropped(const std::vector<bucket_id>& stored) {
  for (auto& core : all())
    if (is_dropped(*core, stored))
      forget(core);
}

/// A definition whose outcome was unknown has reached the disk. It has failed, and leaves nothing
/// behind; but its id is used.
result<void> store_state::erase_orphans(const std::vector<bucket_id>& stored) {
  const auto cores = all();
  for (auto id : stored) {
    next_id_ = std::max(next_id_, id + 1);
    if (std::ranges::any_of(cores, [&](auto& core) { return core->durable() && core->id() == id; }))
      continue;
    if (auto done = erase_catalog(id); !done)
      return done;
  }
  return {};
}

result<void> store_state::revive(std::string_view name) {
  auto core = find(name);
  if (!core)
    return fail(std::move(core.error()));
  auto up = buckets_sup_->revive(std::string{name}).get();
  return up ? result<void>{} : fail(up.error().at({.bucket = std::string{name}}));
}

} // namespace holdfast::detail
