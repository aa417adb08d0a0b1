#pragma once

#include <holdfast/runtime/via.hpp>
#include <holdfast/store/gateway_administration.hpp>
#include <holdfast/store/gateway_messages.hpp>
#include <holdfast/store/gateway_subscriptions.hpp>
#include <holdfast/store/store.hpp>

#include <cstdint>
#include <string>
#include <vector>

/// The store for those who write CAF actors, in two ways; neither blocks.
///
/// *Handles with `via`*: an actor that has a bucket's handle starts an operation and goes on later,
/// in its own context. Everything that handles can do, typed handles included:
///
///     via(self, users.insert(ann), [self](result<user> added) { ... });
///
/// *Messages to the gateway*: an actor that knows only a CAF handle sends a request and gets the
/// answer as a message. What a request is answered with is checked by the compiler:
///
///     auto gateway = gateway_of(db).value();
///     self->request(gateway, caf::infinite, get_record{.bucket = "users", .key = "7"})
///         .then([](const result<record>& found) { ... },
///               [](const caf::error& down) { ... });
///
/// Every answer is a `result`: what goes wrong in the store is a value in it, with the errors of
/// the same operation on `bucket<>`, `not_found` for an unknown bucket, and `overloaded` past
/// `store_options::gateway_requests` unanswered requests. A `caf::error` says only that the gateway
/// itself is gone: the store has stopped. Requests that were taken are answered also when a bucket
/// crashes, and also when the store stops meanwhile. So send with `caf::infinite`: CAF's timeouts
/// cost more than the operation. A request that is sent with `send` is answered by an ordinary
/// message to its sender; one sent with `anon_send` is not answered.
///
/// Requests of one sender to one bucket are begun in the order in which they were sent, but for
/// those that another actor or thread sees to: `modify_record`, `purge_bucket`, transactions,
/// definitions, subscriptions, administration. Reads are answered out of order, and see what was
/// acknowledged before they were sent. CAF looks for the handler of an answer in all that wait:
/// keep fewer than a thousand waiting per actor.
///
/// *Mails* tell an actor of changes (`subscribe_events`) and of the values of a query
/// (`subscribe_query`), in its own time; at most `store_options::gateway_subscriptions` at once:
///
///     self->request(gateway, caf::infinite, subscribe_events{.pattern = "bucket.users.*"})
///         .then([](const result<subscription_id>& began) { ... });
///     ...
///     [](const change_mail& mail) {
///       mail.take([](const change& c) { ... });
///     }
///
/// There is a message for every operation of `store`, `bucket<>` and `selection` but for these:
///   - `store::start`, `store::stop`: they wait for the store's actors; for who owns the store;
///   - `store::crash`, `store::crash_supervisor`, `store::crash_queries`,
///     `store::crash_persistence`: for tests, which own a store;
///   - `store::bucket`, `bucket<>::name`, `store::has_bucket`, `bucket<>::compiled`: each request
///     names its bucket; `describe_bucket` says what it is like, or `not_found`;
///   - `store::event_counters`: `describe_store`, `store_stats::events`;
///   - `bucket<>::with`, `bucket<>::at`: the request's `level` and `when`;
///   - `bucket<>::find`: `get_record`;
///   - `bucket<>::where`, `bucket<>::everything`, `selection::where`, `selection::order_by`,
///     `selection::then_by`, `selection::offset`, `selection::limit`, `selection::fields`,
///     `selection::description`: what a `query` says, which each read takes;
///   - `bucket<>::all`, `bucket<>::first`, `selection::first`: `find_records`, with a limit;
///   - `bucket<>::last`, `bucket<>::find_one`, `bucket<>::count`: as those of `selection`;
///   - `bucket<>::visit`, `selection::visit`: what a visit sees must not be kept, so it cannot be
///     sent; `find_objects` copies what is wanted. Who has a handle may call them in an actor, as
///     all reads: they wait for nothing;
///   - `store::runtime_in_use`, `store::gateway`, `bucket<>::core`, `selection::list`,
///     `selection::list_with_more`, `selection::add_up`, `selection::visit_fields`: for parts of
///     the program that are no clients.
/// Those for mapped structs are the same messages: see `to_object`, `from_record`, `schema_of`,
/// `map_to`.
///
/// All messages stay within the process.
namespace holdfast {

/// The actor that answers these. A cheap handle; no handle may outlive the runtime of the store.
using store_gateway =
    caf::typed_actor<caf::replies_to<insert_record>::with<result<record>>,
                     caf::replies_to<insert_records>::with<result<records>>,
                     caf::replies_to<update_record>::with<result<record>>,
                     caf::replies_to<touch_record>::with<result<record>>,
                     caf::replies_to<modify_record>::with<result<record>>,
                     caf::replies_to<upsert_record>::with<result<record>>,
                     caf::replies_to<erase_record>::with<result<record>>,
                     caf::replies_to<upsert_records>::with<result<records>>,
                     caf::replies_to<update_records>::with<result<std::uint64_t>>,
                     caf::replies_to<erase_records>::with<result<std::uint64_t>>,
                     caf::replies_to<clear_bucket>::with<result<std::uint64_t>>,
                     caf::replies_to<purge_bucket>::with<result<std::uint64_t>>,
                     caf::replies_to<get_record>::with<result<record>>,
                     caf::replies_to<contains_record>::with<result<bool>>,
                     caf::replies_to<find_records>::with<result<records>>,
                     caf::replies_to<last_records>::with<result<records>>,
                     caf::replies_to<find_objects>::with<result<std::vector<object>>>,
                     caf::replies_to<find_record>::with<result<record>>,
                     caf::replies_to<count_records>::with<result<std::uint64_t>>,
                     caf::replies_to<page_records>::with<result<page>>,
                     caf::replies_to<aggregate_records>::with<result<value>>,
                     caf::replies_to<group_records>::with<result<groups>>,
                     caf::replies_to<explain_query>::with<result<explanation>>,
                     caf::replies_to<run_transaction>::with<result<value>>,
                     caf::replies_to<define_bucket>::with<result<schema>>,
                     caf::replies_to<change_bucket>::with<result<schema>>,
                     caf::replies_to<drop_bucket>::with<result<bool>>,
                     caf::replies_to<describe_bucket>::with<result<schema>>,
                     caf::replies_to<describe_store>::with<result<store_stats>>,
                     caf::replies_to<list_buckets>::with<result<std::vector<std::string>>>,
                     caf::replies_to<describe_tree>::with<result<std::string>>,
                     caf::replies_to<describe_restore>::with<result<restore_report>>,
                     caf::replies_to<take_snapshot>::with<result<snapshot>>,
                     caf::replies_to<define_query>::with<result<void>>,
                     caf::replies_to<define_function_query>::with<result<void>>,
                     caf::replies_to<remove_query>::with<result<bool>>,
                     caf::replies_to<list_queries>::with<result<std::vector<query_info>>>,
                     caf::replies_to<describe_query>::with<result<query_info>>,
                     caf::replies_to<explain_subscription>::with<result<query_why>>,
                     caf::replies_to<settle_queries>::with<result<void>>,
                     caf::replies_to<sync_store>::with<result<void>>,
                     caf::replies_to<reopen_store>::with<result<reopen_report>>,
                     caf::replies_to<revive_bucket>::with<result<void>>,
                     caf::replies_to<purge_store>::with<result<std::uint64_t>>,
                     caf::replies_to<run_query>::with<result<query_value>>,
                     caf::replies_to<subscribe_events>::with<result<subscription_id>>,
                     caf::replies_to<subscribe_query>::with<result<subscription_id>>,
                     caf::replies_to<unsubscribe>::with<result<bool>>>;

/// The gateway of a store: a child of the store's supervisors. It does nothing that fails, and so
/// is the same until the store stops, unless somebody kills it; then ask anew. Thread-safe. Error:
/// `stopped`.
result<store_gateway> gateway_of(const store& db);

} // namespace holdfast

HOLDFAST_LOCAL_MESSAGE(holdfast::result<holdfast::record>)
HOLDFAST_LOCAL_MESSAGE(holdfast::result<holdfast::records>)
HOLDFAST_LOCAL_MESSAGE(holdfast::result<holdfast::page>)
HOLDFAST_LOCAL_MESSAGE(holdfast::result<holdfast::value>)
HOLDFAST_LOCAL_MESSAGE(holdfast::result<std::vector<holdfast::object>>)
HOLDFAST_LOCAL_MESSAGE(holdfast::result<holdfast::groups>)
HOLDFAST_LOCAL_MESSAGE(holdfast::result<holdfast::explanation>)
HOLDFAST_LOCAL_MESSAGE(holdfast::result<holdfast::schema>)
HOLDFAST_LOCAL_MESSAGE(holdfast::result<holdfast::store_stats>)
HOLDFAST_LOCAL_MESSAGE(holdfast::result<holdfast::query_value>)
HOLDFAST_LOCAL_MESSAGE(holdfast::result<holdfast::subscription_id>)
HOLDFAST_LOCAL_MESSAGE(holdfast::result<std::vector<std::string>>)
HOLDFAST_LOCAL_MESSAGE(holdfast::result<std::string>)
HOLDFAST_LOCAL_MESSAGE(holdfast::result<holdfast::snapshot>)
HOLDFAST_LOCAL_MESSAGE(holdfast::result<holdfast::restore_report>)
HOLDFAST_LOCAL_MESSAGE(holdfast::result<holdfast::query_info>)
HOLDFAST_LOCAL_MESSAGE(holdfast::result<std::vector<holdfast::query_info>>)
HOLDFAST_LOCAL_MESSAGE(holdfast::result<holdfast::query_why>)
HOLDFAST_LOCAL_MESSAGE(holdfast::result<holdfast::reopen_report>)
HOLDFAST_LOCAL_MESSAGE(holdfast::result<void>)
HOLDFAST_LOCAL_MESSAGE(holdfast::result<bool>)
HOLDFAST_LOCAL_MESSAGE(holdfast::result<std::uint64_t>)
