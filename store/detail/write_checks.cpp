#include <holdfast/store/detail/write_checks.hpp>

#include <holdfast/store/detail/shown.hpp>

#include <algorithm>

namespace holdfast::detail {

namespace {

std::int64_t deadline_after(timestamp now, std::chrono::milliseconds life) noexcept {
  // Longer lives end then: no option, for what matters is that no sum of times overflows.
  constexpr std::chrono::milliseconds longest = std::chrono::years{1000};
  return (now + std::min(life, longest)).time_since_epoch().count();
}

result<std::int64_t> deadline_of(const std::string& bucket, const write_options& how,
                                 timestamp now) {
  auto refuse = [&](const std::string& what) {
    return fail(errc::invalid_argument, bucket + what, {.bucket = bucket});
  };
  auto said = (how.expires_in ? 1 : 0) + (how.expires_at ? 1 : 0) + (how.never_expires ? 1 : 0);
  if (said > 1)
    return refuse(": " + std::to_string(said) + " deadlines are given, more than 1");
  if (how.never_expires)
    return 0;
  if (how.expires_in) {
    if (*how.expires_in < std::chrono::milliseconds{1})
      return refuse(": expires_in " + std::to_string(how.expires_in->count()) +
                    " ms is below the minimum 1 ms");
    return deadline_after(now, *how.expires_in);
  }
  if (*how.expires_at <= now)
    return refuse(": expires_at " + std::to_string(how.expires_at->time_since_epoch().count()) +
                  " us has come at " + std::to_string(now.time_since_epoch().count()) + " us");
  return how.expires_at->time_since_epoch().count();
}

} // namespace

result<std::int64_t> deadline_of_insert(const compiled_schema& schema, const write_options& how,
                                        timestamp now) {
  if (says_deadline(how)) [[unlikely]]
    return deadline_of(schema.bucket(), how, now);
  auto life = schema.definition().expires_after();
  return life ? deadline_after(now, *life) : std::int64_t{0};
}

result<std::int64_t> deadline_of_update(const record_block& old, const compiled_schema& schema,
                                        const write_options& how, timestamp now) {
  return says_deadline(how) ? deadline_of(schema.bucket(), how, now)
                            : result<std::int64_t>{old.expires_at};
}

std::optional<error> complete_touch(const compiled_schema& schema, write_options& how) {
  if (!says_deadline(how))
    how.expires_in = schema.definition().expires_after();
  if (says_deadline(how))
    return std::nullopt;
  return error{errc::invalid_argument,
               schema.bucket() + ": no deadline is given, and the bucket has none of its own",
               {.bucket = schema.bucket()}};
}

std::optional<error> check_bulk(const compiled_schema& schema, const write_options& how,
                                timestamp now) {
  if (how.expected_version)
    return error{errc::invalid_argument,
                 schema.bucket() + ": expected_version " + std::to_string(*how.expected_version) +
                     " is for one record and not for many",
                 {.bucket = schema.bucket()}};
  if (auto ends = deadline_of_insert(schema, how, now); !ends)
    return std::move(ends.error());
  return std::nullopt;
}

std::optional<error> version_error(const std::string& bucket, value_view key,
                                   const record_block* found, const write_options& how) {
  const std::uint64_t actual = found != nullptr ? found->version : 0;
  if (!how.expected_version || *how.expected_version == actual)
    return std::nullopt;
  return error{errc::conflict,
               bucket + ": " + shown(key) + ": version " + std::to_string(actual) +
                   " is not the expected " + std::to_string(*how.expected_version),
               {bucket, key.to_string(), {}},
               version_conflict{*how.expected_version, actual}};
}

} // namespace holdfast::detail
