#include "kill_buckets.hpp"

#include <cstdlib>

namespace holdfast::testing {

namespace {

/// Other lanes are in the way of a transaction, and the disk may be slow.
constexpr std::chrono::milliseconds transfer_timeout = std::chrono::seconds{30};

/// Text keys; a unique index and three ordered ones.
schema docs_schema() {
  return schema("docs")
      .key("id", string())
      .field("owner", integer().required())
      .field("n", integer().required())
      .field("mail", string().unique())
      .field("role", string().one_of("admin", "user", "guest"))
      .field("body", string().length(0, 4000))
      .index("owner")
      .index("role")
      .index("n")
      .inverted_index("mail");
}

/// Autoincrement keys. All lanes write `events`, one `tickets`: most of the time it is empty, so
/// only the counter knows which numbers were given.
schema numbered(std::string name) {
  return schema(std::move(name))
      .key("number", integer().generated(autoincrement))
      .field("owner", integer().required())
      .field("n", integer().required())
      .index("owner");
}

/// One record that all lanes write.
schema shared_schema() { return schema("shared").key("id", string()); }

/// Filled and cleared by the first lane.
schema scratch_schema() {
  return schema("scratch").key("id", string()).field("n", integer()).index("n");
}

} // namespace

result<void> kill_buckets::define(store& db) {
  for (auto& definition :
       {docs_schema(), numbered("events"), numbered("tickets"), shared_schema(), scratch_schema(),
        accounts_schema("giro"), accounts_schema("savings"), ledger_schema(), witness_schema()})
    if (auto defined = db.define(definition); !defined)
      return fail(defined.error());
  return {};
}

kill_buckets::kill_buckets(store& db)
    : db_{db}, docs_{*db.bucket("docs")}, events_{*db.bucket("events")},
      tickets_{*db.bucket("tickets")}, shared_{*db.bucket("shared")},
      scratch_{*db.bucket("scratch")}, accounts_{*db.bucket("giro"), *db.bucket("savings"),
                                                 *db.bucket("ledger"), *db.bucket("witness")} {}

result<void> kill_buckets::prepare() const {
  if (!accounts_.giro.contains(account_key(0)))
    if (auto opened = db_.transact([&](transaction& tx) { return open_accounts(tx, accounts_); },
                                   {.timeout = transfer_timeout, .durability = durability::sync});
        !opened)
      return opened;
  if (shared_.contains("counter"))
    return {};
  return shared_.with(durability::sync).insert({{"id", "counter"}}).get().map([](const record&) {});
}

pending<std::int64_t> kill_buckets::start(const kill_step& s, lane_model& model,
                                          durability level) const {
  using kind = kill_step::kind;
  auto nothing = [](auto&&) { return std::int64_t{0}; };
  auto docs = docs_.with(level);
  auto events = this->events(s.ticket).with(level);
  switch (s.what) {
  case kind::insert:
    return docs.insert(s.docs.front()).map(nothing);
  case kind::insert_many:
    return docs.insert_many(s.docs).map(nothing);
  case kind::update:
    return docs.update(s.key, s.docs.front()).map(nothing);
  case kind::upsert:
    return docs.upsert(s.docs.front()).map(nothing);
  case kind::erase:
    return docs.erase(s.key).map(nothing);
  case kind::event:
    return events.insert(s.docs.front()).map([](const record& r) { return r.key().as_int(); });
  case kind::erase_event:
    return events.erase(model.events(s.ticket).at(s.event).number).map(nothing);
  case kind::count:
    return shared_.with(level).update(s.key, s.docs.front()).map(nothing);
  case kind::scratch:
    return scratch_.with(level).insert(s.docs.front()).map(nothing);
  case kind::clear_scratch:
    return scratch_.with(level).clear().map(nothing);
  case kind::transfer:
    return transfer_for(s, model.lane(), level).map([] { return std::int64_t{0}; });
  }
  std::abort();
}

result<void> kill_buckets::transfer_for(const kill_step& s, unsigned lane, durability level) const {
  return db_.transact(
      [&](transaction& tx) { return make_transfer(tx, accounts_, s.move, lane, s.n); },
      {.timeout = transfer_timeout, .durability = level});
}

} // namespace holdfast::testing
