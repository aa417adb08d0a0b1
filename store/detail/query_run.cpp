#include <holdfast/store/detail/query_group.hpp>

#include <holdfast/store/detail/index_key.hpp>
#include <holdfast/store/detail/reader.hpp>
#include <holdfast/store/detail/transaction_state.hpp>
#include <holdfast/store/detail/validation_check.hpp>

#include <algorithm>
#include <new>

namespace holdfast::detail {

query_moment moment_of(const snapshot_pair& at) noexcept {
  query_moment out;
  out.of(line_kind::memory) = at.seq(line_kind::memory);
  out.of(line_kind::durable) = at.seq(line_kind::durable);
  return out;
}

namespace {

result<query_value> call_query(const query_definition& what, const object& parameters,
                               transaction_state& state, query_basis* basis) {
  auto failed = [&](errc code, const std::string& why) {
    return fail(code, shown_name(what.name) + ": " + why, {.query = what.name});
  };
  try {
    query_context context{state};
    auto outcome = basis && what.function.declared
                       ? run_declared(*what.function.declared, context, parameters, basis)
                       : what.function.run(context, parameters);
    return outcome ? std::move(outcome) : fail(outcome.error().at({.query = what.name}));
  } catch (const std::bad_alloc&) {
    return failed(errc::out_of_memory, "an allocation failed");
  } catch (const std::exception& e) {
    return failed(errc::invalid_argument, std::string{"the query threw: "} + e.what());
  } catch (...) { // whatever a user's function throws is its outcome
    return failed(errc::invalid_argument, "the query threw something unknown");
  }
}

/// What was read, in a form that outlives the snapshot.
query_reads reads_of(transaction_part& part) {
  query_reads out{.of = ref<bucket_core>{&part.core()}, .schema = &part.schema()};
  out.set = std::move(part.reads());
  const auto slot = static_cast<std::uint32_t>(out.schema->key_slot());
  for (auto* block : out.set.found())
    out.keys.push_back(hash_of(*block, slot)); // a version that was replaced has no hash in it
  for (auto& key : out.set.absent())
    out.keys.push_back(hash_of(probe_of(key)));
  std::ranges::sort(out.keys);
  out.keys.erase(std::unique(out.keys.begin(), out.keys.end()), out.keys.end());
  out.set.forget_lookups();
  out.may_expire = part.has_deadlines();
  return out;
}

} // namespace

query_run run_query(commit_lines& lines, runtime& rt, const store_state* in,
                    const query_definition& what, const object& parameters,
                    const read_filters& only, const snapshot_pair& at, query_basis* basis) {
  for (;;) {
    transaction_state state{lines, rt, in, at, only};
    query_run out{.outcome = call_query(what, parameters, state, basis), .at = moment_of(at)};
    // One that is dropped answers no more: it was there for some reads and not for others.
    if (std::ranges::any_of(state.parts(), [](auto& part) { return part->has_closed(); })) {
      if (basis)
        *basis = {.spare = basis->spare};
      continue;
    }
    for (auto& part : state.parts())
      out.reads.push_back(reads_of(*part));
    out.missing = state.missing();
    return out;
  }
}

query_reason query_trigger::reason() const {
  auto part = read            ? read->what.to_string()
              : key.is_null() ? "everything"
                              : "key " + key.to_string();
  return {seq, persistent, bucket, std::move(part)};
}

} // namespace holdfast::detail

namespace holdfast {

std::string_view to_string(run_cause why) noexcept {
  switch (why) {
  case run_cause::arrival:
    return "arrival";
  case run_cause::kind:
    return "kind";
  case run_cause::deadlines:
    return "deadlines";
  case run_cause::extreme:
    return "extreme";
  case run_cause::bulk:
    return "bulk";
  case run_cause::spare:
    return "spare";
  case run_cause::bucket:
    return "bucket";
  case run_cause::meanwhile:
    return "meanwhile";
  case run_cause::fault:
    return "fault";
  }
  return "?";
}

std::string query_reason::to_string() const {
  return bucket + ": " + part + ", changed by commit " + std::to_string(seq);
}

list_changes query_update::changes() const {
  if (!outcome)
    return {};
  return before ? outcome->since(*before) : outcome->since_nothing();
}

} // namespace holdfast
