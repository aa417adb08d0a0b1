#include "kill_check.hpp"

#include <tests/support/crash_indexes.hpp>

#include <algorithm>

namespace holdfast::testing {

kill_checker::kill_checker(std::uint64_t seed) {
  for (unsigned lane = 0; lane < kill_log::lanes; ++lane)
    models_.emplace_back(seed, lane, kill_orders::is_pipelined(lane));
}

kill_log::counts kill_checker::done() const {
  kill_log::counts out{};
  std::transform(models_.begin(), models_.end(), out.begin(), [](auto& m) { return m.done(); });
  return out;
}

std::vector<std::string> kill_checker::check(const store& db, sequence last, const kill_log& log,
                                             const kill_orders& orders) {
  violations_.clear();
  writers_ = {};
  collect(db);
  for (unsigned lane = 0; lane < kill_log::lanes; ++lane) {
    match(lane, log, orders.done[lane]);
    check_order(lane);
  }
  check_transfers();
  if (violations_.empty()) {
    check_promises(log, orders);
    check_commits(last, log, orders);
    check_moments(log, orders);
    check_shared();
    check_accounts();
  }
  using fields = std::vector<std::string>;
  for (auto& [name, indexed, unique, inverted] :
       {std::tuple<std::string, fields, fields, fields>{
            "docs", {"owner", "role", "n"}, {"mail"}, {"mail"}},
        {"events", {"owner"}, {}, {}},
        {"scratch", {"n"}, {}, {}},
        {"giro", {"amount"}, {}, {}},
        {"savings", {"amount"}, {}, {}}})
    for (auto& d : index_disagreements(*db.bucket(name), indexed, unique, inverted))
      wrong(d);
  return violations_;
}

/// Everything that is there, by the lane it belongs to.
void kill_checker::collect(const store& db) {
  found_ = {};
  auto lane_of = [&](std::int64_t owner) -> found_lane& {
    return found_.at(static_cast<std::size_t>(owner));
  };
  auto seen = db.snapshot();
  (void)db.bucket("docs")->at(seen).everything().visit([&](const record_view& r) {
    auto& lane = lane_of(r["owner"].as_int());
    auto key = r.key().as_string();
    lane.hash +=
        lane_model::doc_hash(key, r["n"].as_int(), r["mail"], r["role"], r["body"], r.version());
    lane.docs.push_back({std::string{key}, r["n"].as_int(), r.version()});
  });
  for (auto ticket : {false, true})
    (void)db.bucket(ticket ? "tickets" : "events")
        ->at(seen)
        .everything()
        .visit([&](const record_view& r) {
          auto& lane = lane_of(r["owner"].as_int());
          lane.hash += lane_model::event_hash(r["n"].as_int(), ticket);
          lane.events[ticket][r["n"].as_int()] = r.key().as_int();
        });
  (void)db.bucket("scratch")->at(seen).everything().visit([&](const record_view& r) {
    found_[0].hash += lane_model::scratch_hash(r.key().as_string(), r["n"].as_int());
  });
  auto shared = db.bucket("shared")->at(seen).get("counter").get();
  shared_version_ = shared ? shared->version() : 0;
  for (unsigned i = 0; i < kill_log::lanes; ++i) {
    auto n = shared ? (*shared)["t" + std::to_string(i)] : value_view{};
    found_[i].hash += lane_model::count_hash(n.is_null() ? 0 : n.as_int());
  }
  collect_accounts(db, seen);
}

void kill_checker::collect_accounts(const store& db, const snapshot& seen) {
  (void)db.bucket("ledger")->at(seen).everything().visit([&](const record_view& r) {
    auto& lane = found_.at(static_cast<std::size_t>(r["owner"].as_int()));
    lane.transfer = r["n"].as_int();
    lane.hash += lane_model::ledger_hash(lane.transfer, r["list"], r.version());
  });
  auto int_of = [](value_view v) { return v.is_null() ? 0 : v.as_int(); };
  for (unsigned i = 0; i < accounts; ++i) {
    auto& account = accounts_[i] = {};
    for (auto name : {"giro", "savings"})
      if (auto r = db.bucket(name)->at(seen).get(account_key(i)).get())
        account = {int_of((*r)["amount"]),
                   r->version(),
                   {static_cast<unsigned>(int_of((*r)["by"])), int_of((*r)["n"]), 0}};
  }
}

/// Goes forward from what was there before until the model's records are those found.
void kill_checker::match(unsigned lane, const kill_log& log, std::int64_t base) {
  auto& found = found_[lane];
  auto& model = models_[lane];
  auto entry = [&](std::int64_t n) -> const kill_log::step& {
    return log.steps[lane][static_cast<std::size_t>(n - base - 1)];
  };
  auto attempted = [&](std::int64_t n) {
    return n - base <= static_cast<std::int64_t>(kill_log::capacity) &&
           entry(n).attempted.load() != 0;
  };
  const auto before = model;
  std::int64_t acknowledged = base;
  while (model.hash() != found.hash) {
    auto s = model.next();
    if (!attempted(s.n)) {
      model = before;
      while (model.done() < acknowledged)
        model.apply(model.next());
      return wrong("lane " + std::to_string(lane) + ": no prefix of its " +
                   std::to_string(s.n - 1) +
                   " steps gives what is there; compared with the last acknowledged step, " +
                   std::to_string(acknowledged) + ": " + difference(model, found));
    }
    give(entry(s.n).number.load(), s, found, model);
    if (s.what == kill_step::kind::transfer)
      for (auto account : {s.move.from, s.move.to})
        writers_[account].push_back({lane, s.n, entry(s.n).seq.load()});
    if (entry(s.n).acknowledged.load() != 0)
      acknowledged = s.n;
  }
}

/// Applies a step; that of an event with its number, which is as `told` or, if nobody lived to
/// tell, as found.
void kill_checker::give(std::int64_t told, const kill_step& step, const found_lane& found,
                        lane_model& to) {
  if (step.what != kill_step::kind::event)
    return to.apply(step);
  auto& stored = found.events[step.ticket];
  auto at = stored.find(step.n);
  auto number = at != stored.end() ? at->second : told;
  to.apply(step, number);
  auto name = (step.ticket ? "ticket " : "event ") + std::to_string(number);
  if (told != 0 && told != number)
    wrong(name + ": was acknowledged as " + std::to_string(told));
  if (number != 0 && !numbers_[step.ticket].insert(number).second)
    wrong(name + ": the number was given before");
}

std::string kill_checker::difference(const lane_model& model, const found_lane& found) const {
  std::string out;
  auto note = [&](const std::string& what) { out += "\n    " + what; };
  auto missing = model.docs();
  for (auto& doc : found.docs) {
    auto at = model.docs().find(doc.key);
    if (at == model.docs().end())
      note("docs " + doc.key + " of step " + std::to_string(doc.n) + " should not be there");
    else if (at->second.n != doc.n || at->second.version != doc.version)
      note("docs " + doc.key + " is as step " + std::to_string(doc.n) + " left it, version " +
           std::to_string(doc.version) + "; step " + std::to_string(at->second.n) +
           " made version " + std::to_string(at->second.version));
    missing.erase(doc.key);
  }
  for (auto& [key, doc] : missing)
    note("docs " + key + " of step " + std::to_string(doc.n) + " is missing");
  if (model.transfers().last() != found.transfer)
    note("the last transfer in the ledger is that of step " + std::to_string(found.transfer) +
         ", not " + std::to_string(model.transfers().last()));
  auto expected = model;
  for (auto ticket : {false, true}) {
    for (auto& e : expected.events(ticket))
      if (!found.events[ticket].contains(e.n))
        note("the event of step " + std::to_string(e.n) + " is missing");
    if (found.events[ticket].size() > expected.events(ticket).size())
      note("there are too many events");
  }
  return out.empty() ? "some fields differ" : out;
}

/// Records come in the order in which they were inserted.
void kill_checker::check_order(unsigned lane) {
  std::uint64_t before = 0;
  for (auto& [key, n, version] : found_[lane].docs) {
    auto at = models_[lane].docs().find(key);
    if (at == models_[lane].docs().end())
      return; // said by `match`
    if (at->second.place < before)
      wrong("docs " + key + ": comes behind a record that was inserted later");
    before = at->second.place;
  }
  for (auto& events : found_[lane].events) {
    std::int64_t number = 0;
    for (auto& [n, next] : events) {
      if (next <= number)
        wrong("event " + std::to_string(next) + ": step " + std::to_string(n) +
              " of its lane got a lower number than a step before it");
      number = next;
    }
  }
}

} // namespace holdfast::testing
