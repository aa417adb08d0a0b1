#pragma once

#include <holdfast/runtime/caf.hpp>
#include <holdfast/runtime/via.hpp>
#include <holdfast/store/store.hpp>

#include <cstdint>
#include <optional>
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
/// Requests of one sender to one bucket are begun in the order in which they were sent; reads are
/// answered out of order, and see what was acknowledged before they were sent. CAF looks for the
/// handler of an answer in all that wait: keep fewer than a thousand waiting per actor.
///
/// All messages stay within the process.
namespace holdfast {

// -- writes; `level` overrides the store's durability

/// As `bucket<>::insert`. `to_object` makes the fields of a mapped struct.
struct insert_record {
  std::string bucket;
  object fields;
  std::optional<durability> level{};
};
/// As `bucket<>::insert_many`: all or none.
struct insert_records {
  std::string bucket;
  std::vector<object> list;
  std::optional<durability> level{};
};
/// As `bucket<>::update`.
struct update_record {
  std::string bucket;
  value key;
  object changes;
  std::optional<durability> level{};
};
/// As `bucket<>::upsert`.
struct upsert_record {
  std::string bucket;
  object fields;
  std::optional<durability> level{};
};
/// As `bucket<>::erase`.
struct erase_record {
  std::string bucket;
  value key;
  std::optional<durability> level{};
};
/// As `bucket<>::upsert_many`: all or none.
struct upsert_records {
  std::string bucket;
  std::vector<object> list;
  std::optional<durability> level{};
};
/// As `bucket<>::update_many`; the answer is the number of records.
struct update_records {
  std::string bucket;
  filter which;
  object changes;
  std::optional<durability> level{};
};
/// As `bucket<>::erase_many`; the answer is the number of records.
struct erase_records {
  std::string bucket;
  filter which;
  std::optional<durability> level{};
};
/// As `bucket<>::clear`.
struct clear_bucket {
  std::string bucket;
  std::optional<durability> level{};
};

// -- reads; of the newest published state, or of a snapshot

/// As `bucket<>::get`.
struct get_record {
  std::string bucket;
  value key;
  std::optional<snapshot> when{};
};
/// As `selection::all`.
struct find_records {
  std::string bucket;
  query what{};
  std::optional<snapshot> when{};
};
/// As `selection::find_one`: the first one, or `not_found`.
struct find_record {
  std::string bucket;
  query what{};
  std::optional<snapshot> when{};
};
/// As `selection::count`.
struct count_records {
  std::string bucket;
  query what{};
  std::optional<snapshot> when{};
};
/// As `selection::page_of`.
struct page_records {
  std::string bucket;
  query what{};
  std::uint64_t size = 100;
  std::optional<std::string> after{};
  std::optional<snapshot> when{};
};
/// As the aggregates of `selection`, over one field.
struct aggregate_records {
  enum class function : std::uint8_t { sum, avg, min, max };
  std::string bucket;
  function what = function::sum;
  std::string field{};
  query over{};
  std::optional<snapshot> when{};
};

/// The actor that answers these. A cheap handle; no handle may outlive the runtime of the store.
using store_gateway = caf::typed_actor<caf::replies_to<insert_record>::with<result<record>>,
                                       caf::replies_to<insert_records>::with<result<records>>,
                                       caf::replies_to<update_record>::with<result<record>>,
                                       caf::replies_to<upsert_record>::with<result<record>>,
                                       caf::replies_to<erase_record>::with<result<record>>,
                                       caf::replies_to<upsert_records>::with<result<records>>,
                                       caf::replies_to<update_records>::with<result<std::uint64_t>>,
                                       caf::replies_to<erase_records>::with<result<std::uint64_t>>,
                                       caf::replies_to<clear_bucket>::with<result<std::uint64_t>>,
                                       caf::replies_to<get_record>::with<result<record>>,
                                       caf::replies_to<find_records>::with<result<records>>,
                                       caf::replies_to<find_record>::with<result<record>>,
                                       caf::replies_to<count_records>::with<result<std::uint64_t>>,
                                       caf::replies_to<page_records>::with<result<page>>,
                                       caf::replies_to<aggregate_records>::with<result<value>>>;

/// The gateway of a store: a child of the store's supervisors. It does nothing that fails, and so
/// is the same until the store stops, unless somebody kills it; then ask anew. Thread-safe. Error:
/// `stopped`.
result<store_gateway> gateway_of(const store& db);

} // namespace holdfast

HOLDFAST_LOCAL_MESSAGE(holdfast::insert_record)
HOLDFAST_LOCAL_MESSAGE(holdfast::insert_records)
HOLDFAST_LOCAL_MESSAGE(holdfast::update_record)
HOLDFAST_LOCAL_MESSAGE(holdfast::upsert_record)
HOLDFAST_LOCAL_MESSAGE(holdfast::erase_record)
HOLDFAST_LOCAL_MESSAGE(holdfast::upsert_records)
HOLDFAST_LOCAL_MESSAGE(holdfast::update_records)
HOLDFAST_LOCAL_MESSAGE(holdfast::erase_records)
HOLDFAST_LOCAL_MESSAGE(holdfast::clear_bucket)
HOLDFAST_LOCAL_MESSAGE(holdfast::get_record)
HOLDFAST_LOCAL_MESSAGE(holdfast::find_records)
HOLDFAST_LOCAL_MESSAGE(holdfast::find_record)
HOLDFAST_LOCAL_MESSAGE(holdfast::count_records)
HOLDFAST_LOCAL_MESSAGE(holdfast::page_records)
HOLDFAST_LOCAL_MESSAGE(holdfast::aggregate_records)
HOLDFAST_LOCAL_MESSAGE(holdfast::result<holdfast::record>)
HOLDFAST_LOCAL_MESSAGE(holdfast::result<holdfast::records>)
HOLDFAST_LOCAL_MESSAGE(holdfast::result<holdfast::page>)
HOLDFAST_LOCAL_MESSAGE(holdfast::result<holdfast::value>)
HOLDFAST_LOCAL_MESSAGE(holdfast::result<std::uint64_t>)
