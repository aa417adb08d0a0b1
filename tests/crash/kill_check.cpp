#include "kill_check.hpp"

#include <tests/support/crash_indexes.hpp>

#include <algorithm>

namespace holdfast::testing {

kill_checker::kill_checker(std::uint64_t seed) {
  for (unsigned lane = 0; lane < kill_log::lanes; ++lane)
    models_.emplace_back(seed, lane, kill_orders::is_pipelined(lane));
}

std::array<std::int64_t, kill_log::lanes> kill_checker::done() const {
  std::array<std::int64_t, kill_log::lanes> out{};
  std::transform(models_.begin(), models_.end(), out.begin(), [](auto& m) { return m.done(); });
  return out;
}

std::vector<std::string> kill_checker::check(const store& db, const kill_log& log,
                                             const kill_orders& orders) {
  violations_.clear();
  collect(db);
  for (unsigned lane = 0; lane < kill_log::lanes; ++lane) {
    match(lane, log, orders.done[lane]);
    check_order(lane);
  }
  if (violations_.empty()) {
    check_promises(log, orders);
    check_shared();
  }
  for (auto& [name, indexed, unique] :
       {std::tuple<std::string, std::vector<std::string>, std::vector<std::string>>{
            "docs", {"owner", "role", "n"}, {"mail"}},
        {"events", {"owner"}, {}},
        {"scratch", {"n"}, {}}})
    for (auto& d : index_disagreements(*db.bucket(name), indexed, unique))
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
    lane.docs.emplace_back(key);
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
  for (auto& [key, doc] : model.docs())
    if (std::find(found.docs.begin(), found.docs.end(), key) == found.docs.end())
      note("docs " + key + " of step " + std::to_string(doc.n) + " is missing");
  for (auto& key : found.docs)
    if (!model.docs().contains(key))
      note("docs " + key + " should not be there");
  auto expected = model;
  for (auto ticket : {false, true}) {
    for (auto& e : expected.events(ticket))
      if (!found.events[ticket].contains(e.n))
        note("the event of step " + std::to_string(e.n) + " is missing");
    if (found.events[ticket].size() > expected.events(ticket).size())
      note("there are too many events");
  }
  return out.empty() ? "some fields or versions differ" : out;
}

/// Records come in the order in which they were inserted.
void kill_checker::check_order(unsigned lane) {
  std::uint64_t before = 0;
  for (auto& key : found_[lane].docs) {
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

void kill_checker::check_promises(const kill_log& log, const kill_orders& orders) {
  // The latest moment at which something that is there was attempted.
  std::uint64_t latest = 0;
  auto steps_found = [&](unsigned lane) {
    return static_cast<std::size_t>(models_[lane].done() - orders.done[lane]);
  };
  for (unsigned lane = 0; lane < kill_log::lanes; ++lane)
    if (auto n = steps_found(lane); n > 0)
      latest = std::max(latest, log.steps[lane][n - 1].attempted.load());
  for (unsigned lane = 0; lane < kill_log::lanes; ++lane) {
    auto level = orders.level_of(lane);
    for (auto i = steps_found(lane); i < kill_log::capacity; ++i) {
      auto& e = log.steps[lane][i];
      if (e.attempted.load() == 0)
        break;
      auto acknowledged = e.acknowledged.load();
      if (acknowledged == 0)
        continue;
      auto name = "lane " + std::to_string(lane) + ": step " +
                  std::to_string(orders.done[lane] + static_cast<std::int64_t>(i) + 1);
      if (level == durability::sync || level == durability::group)
        wrong(name + " was acknowledged at " + std::string{to_string(level)} + " and is lost");
      if (acknowledged < log.barrier.load())
        wrong(name + " was acknowledged before a barrier and is lost");
      if (acknowledged < latest)
        wrong(name + " is lost, though a step that was begun after it is there");
      break;
    }
  }
}

void kill_checker::check_shared() {
  std::uint64_t updates = 0;
  for (auto& m : models_)
    updates += m.counted();
  if (shared_version_ != 0 ? shared_version_ != 1 + updates : updates != 0)
    wrong("shared counter: has version " + std::to_string(shared_version_) + " after " +
          std::to_string(updates) + " updates");
  for (auto& numbers : numbers_)
    if (!numbers.empty() && *numbers.rbegin() != static_cast<std::int64_t>(numbers.size()))
      wrong("events: " + std::to_string(numbers.size()) + " numbers were given, the highest is " +
            std::to_string(*numbers.rbegin()));
}

} // namespace holdfast::testing
