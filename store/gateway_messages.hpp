#pragma once

#include <holdfast/runtime/caf.hpp>
#include <holdfast/store/aggregate.hpp>
#include <holdfast/store/bucket.hpp>
#include <holdfast/store/bucket_update.hpp>
#include <holdfast/store/durability.hpp>
#include <holdfast/store/query.hpp>
#include <holdfast/store/schema.hpp>
#include <holdfast/store/snapshot.hpp>
#include <holdfast/store/transaction.hpp>
#include <holdfast/store/write_options.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

/// What an actor may ask of a store's gateway (store/gateway.hpp). Each is what the operation of
/// its name is on a handle: see there for what it does and fails with. All stay within the process.
namespace holdfast {

// -- writes; `level` overrides the store's durability

/// As `bucket<>::insert`. `to_object` makes the fields of a mapped struct.
struct insert_record {
  std::string bucket;
  object fields;
  std::optional<durability> level{};
  write_options how{};
};
/// As `bucket<>::insert_many`: all or none.
struct insert_records {
  std::string bucket;
  std::vector<object> list;
  std::optional<durability> level{};
  write_options how{};
};
/// As `bucket<>::update`.
struct update_record {
  std::string bucket;
  value key;
  object changes;
  std::optional<durability> level{};
  write_options how{};
};
/// As `bucket<>::touch`.
struct touch_record {
  std::string bucket;
  value key;
  std::optional<durability> level{};
  write_options how{};
};
/// As `bucket<>::modify`: `change` gives the changes that the record as it is calls for, and is
/// called again if the record was changed meanwhile. It must not block: an actor calls it. If that
/// was in vain 1,000 times, or for half of `default_timeout`, it goes on in the gateway's thread
/// for what waits (see below; not under the deterministic scheduler), where the writes of others
/// wait for it: up to 1,000 times and until `default_timeout` has passed in all. Errors then:
/// `conflict` or `timeout`, which say how often it was tried, with the last conflict as cause;
/// nothing happened.
struct modify_record {
  std::string bucket;
  value key;
  std::function<result<object>(const record& now)> change;
  std::optional<durability> level{};
};
/// As `bucket<>::upsert`.
struct upsert_record {
  std::string bucket;
  object fields;
  std::optional<durability> level{};
  write_options how{};
};
/// As `bucket<>::erase`.
struct erase_record {
  std::string bucket;
  value key;
  std::optional<durability> level{};
  write_options how{};
};
/// As `bucket<>::upsert_many`: all or none.
struct upsert_records {
  std::string bucket;
  std::vector<object> list;
  std::optional<durability> level{};
  write_options how{};
};
/// As `bucket<>::update_many`; the answer is the number of records.
struct update_records {
  std::string bucket;
  filter which;
  object changes;
  std::optional<durability> level{};
  write_options how{};
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
/// As `bucket<>::purge`; the answer is the number of records.
struct purge_bucket {
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
/// As `bucket<>::contains`.
struct contains_record {
  std::string bucket;
  value key;
  std::optional<snapshot> when{};
};
/// As `selection::all`. The first n are a query with a limit.
struct find_records {
  std::string bucket;
  query what{};
  std::optional<snapshot> when{};
};
/// As `selection::last`.
struct last_records {
  std::string bucket;
  query what{};
  std::int64_t count = 1;
  std::optional<snapshot> when{};
};
/// As `selection::objects`: what the query's `fields` name, of each record.
struct find_objects {
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
/// As `selection::sum`, `selection::avg`, `selection::min` and `selection::max`.
struct aggregate_records {
  enum class function : std::uint8_t { sum, avg, min, max };
  std::string bucket;
  function what = function::sum;
  std::string field{};
  query over{};
  std::optional<snapshot> when{};
};
/// As `selection::group_by`.
struct group_records {
  std::string bucket;
  std::vector<field_name> keys;
  std::vector<aggregate> what;
  query over{};
  std::optional<snapshot> when{};
};
/// As `selection::explain`.
struct explain_query {
  std::string bucket;
  query what{};
  std::optional<snapshot> when{};
};

// -- what waits for others, in a thread that the gateway has for it, one after the other; not under
// -- the deterministic scheduler, which has no second thread (`unavailable`)

/// As `store::transact`; `body` is called in that thread, so it may wait for handles, but must not
/// stop the store.
struct run_transaction {
  std::function<result<value>(transaction& in)> body;
  transact_options how{};
};
/// As `store::define`; the answer is the definition in force.
struct define_bucket {
  schema definition;
};
/// As `store::update_bucket`; the answer is the definition in force.
struct change_bucket {
  std::string bucket;
  bucket_update change;
  std::chrono::milliseconds timeout = std::chrono::minutes{5};
};
/// As `store::drop`.
struct drop_bucket {
  std::string bucket;
  std::chrono::milliseconds timeout = default_timeout;
};

// -- what there is

/// As `store::bucket_schema`.
struct describe_bucket {
  std::string bucket;
};
/// As `store::stats`.
struct describe_store {};

} // namespace holdfast

HOLDFAST_LOCAL_MESSAGE(holdfast::insert_record)
HOLDFAST_LOCAL_MESSAGE(holdfast::insert_records)
HOLDFAST_LOCAL_MESSAGE(holdfast::update_record)
HOLDFAST_LOCAL_MESSAGE(holdfast::touch_record)
HOLDFAST_LOCAL_MESSAGE(holdfast::modify_record)
HOLDFAST_LOCAL_MESSAGE(holdfast::upsert_record)
HOLDFAST_LOCAL_MESSAGE(holdfast::erase_record)
HOLDFAST_LOCAL_MESSAGE(holdfast::upsert_records)
HOLDFAST_LOCAL_MESSAGE(holdfast::update_records)
HOLDFAST_LOCAL_MESSAGE(holdfast::erase_records)
HOLDFAST_LOCAL_MESSAGE(holdfast::clear_bucket)
HOLDFAST_LOCAL_MESSAGE(holdfast::purge_bucket)
HOLDFAST_LOCAL_MESSAGE(holdfast::get_record)
HOLDFAST_LOCAL_MESSAGE(holdfast::contains_record)
HOLDFAST_LOCAL_MESSAGE(holdfast::find_records)
HOLDFAST_LOCAL_MESSAGE(holdfast::last_records)
HOLDFAST_LOCAL_MESSAGE(holdfast::find_objects)
HOLDFAST_LOCAL_MESSAGE(holdfast::find_record)
HOLDFAST_LOCAL_MESSAGE(holdfast::count_records)
HOLDFAST_LOCAL_MESSAGE(holdfast::page_records)
HOLDFAST_LOCAL_MESSAGE(holdfast::aggregate_records)
HOLDFAST_LOCAL_MESSAGE(holdfast::group_records)
HOLDFAST_LOCAL_MESSAGE(holdfast::explain_query)
HOLDFAST_LOCAL_MESSAGE(holdfast::run_transaction)
HOLDFAST_LOCAL_MESSAGE(holdfast::define_bucket)
HOLDFAST_LOCAL_MESSAGE(holdfast::change_bucket)
HOLDFAST_LOCAL_MESSAGE(holdfast::drop_bucket)
HOLDFAST_LOCAL_MESSAGE(holdfast::describe_bucket)
HOLDFAST_LOCAL_MESSAGE(holdfast::describe_store)
