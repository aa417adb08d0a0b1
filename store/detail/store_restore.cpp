#include <holdfast/store/detail/store_state.hpp>

#include <holdfast/store/codec.hpp>
#include <holdfast/store/detail/restore.hpp>
#include <holdfast/store/detail/store_operations.hpp>

#include <algorithm>
#include <chrono>
#include <thread>

namespace holdfast::detail {

std::string format_value(bucket_id next) {
  std::string out;
  append_big_endian(out, key_format, 4);
  append_big_endian(out, next, 4);
  return out;
}

namespace {

/// Tells a user's function; an error if it throws.
result<void> call(const std::function<void(const restore_progress&)>& f, const restore_progress& p,
                  const std::string& store) noexcept {
  auto threw = [&](const std::string& what) {
    return fail(errc::invalid_argument, store + ": on_restore threw " + what);
  };
  try {
    f(p);
    return {};
  } catch (const std::exception& e) {
    return threw(std::string{"an exception: "} + e.what());
  } catch (...) {
    return threw("something unknown");
  }
}

} // namespace

result<void> store_state::restore(journal_info info) {
  const auto began = runtime_->clock().steady();
  lines_->durable.start_at(info.last);
  restored_.last = info.last;
  restored_.missing = info.promised > info.last ? info.promised - info.last : 0;
  restored_.epoch = epoch_ = info.epoch;
  pipe_ = std::make_shared<pipeline>(lines_->durable, *options_.journal,
                                     pipeline_options{.group_delay = options_.group_delay,
                                                      .async_delay = options_.async_delay,
                                                      .backlog_bytes = options_.backlog_bytes,
                                                      .backlog_commits = options_.backlog_commits,
                                                      .read_only = options_.read_only},
                                     [this](const std::string& why) { writer_crashed(why); });
  if (auto done = restore_catalog(); !done)
    return done;
  auto threads = options_.restore_threads != 0 ? options_.restore_threads
                                               : std::max(1u, std::thread::hardware_concurrency());
  result<void> told; // what `on_restore` throws ends the start
  auto tell = [&](const restore_progress& p) {
    if (options_.on_restore && told)
      told = call(options_.on_restore, p, options_.name);
  };
  for (auto& core : unbound_) {
    auto read = restore_bucket(*options_.journal, *core, info.last, threads,
                               [&, before = restored_.records](auto n) {
                                 tell({core->name(), before + n, false});
                               });
    if (!read)
      return fail(read.error().at({.bucket = core->name()}));
    restored_.records += *read;
    ++restored_.buckets;
    tell({core->name(), restored_.records, false});
    if (!told)
      return told;
  }
  link_buckets();
  restored_.took =
      std::chrono::duration_cast<std::chrono::microseconds>(runtime_->clock().steady() - began);
  tell({{}, restored_.records, true});
  return told;
}

namespace {

/// The entry under `format_key`: its version, which may be a newer one, then what else it has.
result<void> check_format(const std::string& where, std::string_view bytes) {
  const auto found = bytes.size() < 4 ? 0 : read_big_endian(bytes.substr(0, 4));
  if (found > key_format)
    return fail(errc::newer_format, where + ": written in format " + std::to_string(found) +
                                        "; this version knows up to " + std::to_string(key_format));
  if (bytes.size() != 8)
    return fail(errc::corrupt, where + ": the format entry has " + std::to_string(bytes.size()) +
                                   " bytes instead of 8");
  return {};
}

} // namespace

/// Schemas and format, which is what lies from "c" to before "n": see journal_keys.hpp.
journal::precondition known_catalog(const std::string& where) {
  return {"c", "n", [where](std::string_view key, std::string_view bytes) -> result<void> {
            if (key == format_key)
              return check_format(where, bytes);
            if (!key.starts_with('c'))
              return {};
            return codec::decode_schema(bytes).map([](auto&&) {}).map_error([&](error e) {
              const auto id = std::to_string(read_big_endian(key.substr(1)));
              return error{e.code(),
                           where + ": the schema of bucket " + id +
                               ", without which its records cannot be read: " + e.message()};
            });
          }};
}

result<void> store_state::restore_catalog() {
  auto& from = *options_.journal;
  auto format = from.scan(format_key, std::string{format_key} + '\0',
                          [&](std::string_view, std::string_view bytes) -> result<void> {
                            if (auto known = check_format(from.name(), bytes); !known)
                              return known;
                            next_id_ = static_cast<bucket_id>(read_big_endian(bytes.substr(4)));
                            return {};
                          });
  if (!format)
    return format;
  return from.scan("c", "d", [&](std::string_view key, std::string_view bytes) -> result<void> {
    auto definition = codec::decode_schema(bytes);
    if (!definition)
      return fail(std::move(definition.error()));
    auto compiled = compile(*definition, options_.limits);
    if (!compiled)
      return fail(error{errc::corrupt, from.name() + ": the stored schema of " +
                                           definition->name() +
                                           " contradicts itself, so its records cannot be read"}
                      .because(compiled.error()));
    auto id = static_cast<bucket_id>(read_big_endian(key.substr(1)));
    auto core = make_ref<bucket_core>(id, *compiled, runtime_, lines_, pipe_);
    buckets_.emplace(core->name(), core);
    unbound_.push_back(core);
    next_id_ = std::max(next_id_, id + 1);
    return {};
  });
}

void store_state::writer_crashed(const std::string& why) {
  // The writer has stopped at a fault; its actor follows, and the next incarnation resumes the
  // pipeline.
  auto op = ref<operation<void_result>>{new crash_operation{*persistence_address_, why}};
  op->start();
}

} // namespace holdfast::detail
