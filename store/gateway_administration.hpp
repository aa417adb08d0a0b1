#pragma once

#include <holdfast/runtime/caf.hpp>
#include <holdfast/store/live_query.hpp>
#include <holdfast/store/query_why.hpp>
#include <holdfast/store/read_filters.hpp>

#include <chrono>
#include <string>
#include <utility>

/// What an actor may ask of a store's gateway (store/gateway.hpp) to run the store: its queries,
/// its moments, its parts. Each is what the operation of its name is on `store`. All stay within
/// the process.
namespace holdfast {

// -- what there is

/// As `store::bucket_names`.
struct list_buckets {};
/// As `store::tree`.
struct describe_tree {};
/// As `store::restored`.
struct describe_restore {};
/// As `store::snapshot`: for the `when` of reads, so that they all see one moment.
struct take_snapshot {};

// -- queries

/// As `store::define_query` of a declared one; it is tried, where it needs no parameters.
struct define_query {
  std::string query;
  declared_query what;
};
/// As `store::define_query` of a function:
///
///     define_function_query::of("adults", [](query_context& in) { ... })
///
/// The function travels with the message, and may be called on any thread (see `query_context`).
struct define_function_query {
  std::string query;
  detail::query_function what;

  template <class P = object, class F>
  requires detail::query_function_of<F, P>
  static define_function_query of(std::string query, F f) {
    return {std::move(query), detail::function_of<P>(std::move(f))};
  }
};
/// As `store::remove_query`.
struct remove_query {
  std::string query;
};
/// As `store::queries`.
struct list_queries {};
/// As `store::query_info_of`.
struct describe_query {
  std::string query;
};
/// As `store::why`.
struct explain_subscription {
  std::string query;
  object parameters{};
  read_filters filters{};
};

// -- what waits for others, in the gateway's thread for that; see store/gateway_messages.hpp

/// As `store::settle`.
struct settle_queries {
  std::chrono::milliseconds timeout = default_timeout;
};
/// As `store::sync`.
struct sync_store {
  std::chrono::milliseconds timeout = default_timeout;
};
/// As `store::reopen`.
struct reopen_store {};
/// As `store::revive`.
struct revive_bucket {
  std::string bucket;
};

} // namespace holdfast

HOLDFAST_LOCAL_MESSAGE(holdfast::list_buckets)
HOLDFAST_LOCAL_MESSAGE(holdfast::describe_tree)
HOLDFAST_LOCAL_MESSAGE(holdfast::describe_restore)
HOLDFAST_LOCAL_MESSAGE(holdfast::take_snapshot)
HOLDFAST_LOCAL_MESSAGE(holdfast::define_query)
HOLDFAST_LOCAL_MESSAGE(holdfast::define_function_query)
HOLDFAST_LOCAL_MESSAGE(holdfast::remove_query)
HOLDFAST_LOCAL_MESSAGE(holdfast::list_queries)
HOLDFAST_LOCAL_MESSAGE(holdfast::describe_query)
HOLDFAST_LOCAL_MESSAGE(holdfast::explain_subscription)
HOLDFAST_LOCAL_MESSAGE(holdfast::settle_queries)
HOLDFAST_LOCAL_MESSAGE(holdfast::sync_store)
HOLDFAST_LOCAL_MESSAGE(holdfast::reopen_store)
HOLDFAST_LOCAL_MESSAGE(holdfast::revive_bucket)
