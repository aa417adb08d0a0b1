#include "kill_workload.hpp"

#include <algorithm>
#include <functional>

namespace holdfast::testing {

namespace {

constexpr std::size_t most_docs = 60;
constexpr std::size_t most_events = 40;
constexpr std::size_t most_scratch = 30;
constexpr std::int64_t steps_per_mark = 4;

std::uint64_t mix(std::uint64_t x) noexcept {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

std::uint64_t hash_text(const std::string& text) { return mix(std::hash<std::string>{}(text)); }

} // namespace

/// The choices of one step.
class lane_model::dice {
public:
  explicit dice(std::uint64_t seed) noexcept : state_{seed} {}
  std::uint64_t roll(std::uint64_t below) noexcept { return mix(++state_) % below; }

private:
  std::uint64_t state_;
};

lane_model::lane_model(std::uint64_t seed, unsigned lane, bool docs_only)
    : seed_{mix(seed + lane)}, lane_{lane}, docs_only_{docs_only}, hash_{count_hash(0)} {}

std::uint64_t lane_model::doc_hash(std::string_view key, std::int64_t n, value_view mail,
                                   value_view role, value_view body, std::uint64_t version) {
  return hash_text("doc " + std::string{key} + " " + std::to_string(n) + " " + mail.to_string() +
                   role.to_string() + body.to_string() + std::to_string(version));
}
std::uint64_t lane_model::event_hash(std::int64_t n, bool ticket) {
  return hash_text((ticket ? "ticket " : "event ") + std::to_string(n));
}
std::uint64_t lane_model::count_hash(std::int64_t n) {
  return hash_text("count " + std::to_string(n));
}
std::uint64_t lane_model::scratch_hash(std::string_view key, std::int64_t n) {
  return hash_text("scratch " + std::string{key} + " " + std::to_string(n));
}

std::uint64_t lane_model::ledger_hash(std::int64_t n, value_view list, std::uint64_t version) {
  return hash_text("ledger " + std::to_string(n) + list.to_string() + std::to_string(version));
}

std::uint64_t lane_model::hash_of(const doc& d) {
  auto field = [&](std::string_view name) {
    auto* v = d.fields.find(name);
    return v ? value_view{*v} : value_view{};
  };
  return doc_hash(field("id").as_string(), field("n").as_int(), field("mail"), field("role"),
                  field("body"), d.version);
}

// -- what to do

kill_step lane_model::mark(std::int64_t n) const {
  if (!docs_only_)
    return {
        kill_step::kind::count, n, "counter", {object{{"t" + std::to_string(lane_), n}}}, 0, false};
  auto key = std::to_string(lane_) + "-mark";
  return {
      kill_step::kind::upsert, n, key, {object{{"id", key}, {"owner", lane_}, {"n", n}}}, 0, false};
}

std::string lane_model::free_key(dice& d, const std::vector<object>& besides) const {
  for (;;) {
    auto key = std::to_string(lane_) + "-" + std::to_string(d.roll(2 * most_docs));
    auto taken = std::any_of(besides.begin(), besides.end(),
                             [&](const object& o) { return *o.find("id") == key; });
    if (!taken && !docs_.contains(key))
      return key;
  }
}

object lane_model::changes(std::int64_t n, dice& d) const {
  static constexpr const char* roles[] = {"admin", "user", "guest"};
  object out{{"n", n}};
  if (d.roll(2) == 0)
    out["role"] = roles[d.roll(3)];
  if (d.roll(3) == 0)
    out["body"] = std::string(d.roll(300), static_cast<char>('a' + d.roll(26)));
  // A unique value that was given up is used again.
  auto mail = std::to_string(lane_) + "m" + std::to_string(d.roll(100)) + "@x";
  auto used = std::any_of(docs_.begin(), docs_.end(), [&](auto& entry) {
    auto* v = entry.second.fields.find("mail");
    return v && *v == mail;
  });
  if (!used)
    out["mail"] = mail;
  else if (d.roll(4) == 0)
    out["mail"] = nullptr;
  return out;
}

object lane_model::new_doc(std::int64_t n, const std::string& key, dice& d) const {
  auto out = changes(n, d);
  out["id"] = key;
  out["owner"] = lane_;
  return out;
}

kill_step lane_model::next() const {
  auto n = done_ + 1;
  if (n % steps_per_mark == 0)
    return mark(n);
  auto last_mark = n - n % steps_per_mark;
  dice d{seed_ ^ mix(static_cast<std::uint64_t>(n))};
  auto choice = d.roll(docs_only_ ? 60 : 100);
  auto any_doc = [&] {
    return std::next(docs_.begin(), static_cast<std::ptrdiff_t>(d.roll(docs_.size())));
  };
  using kind = kill_step::kind;
  if (!docs_only_ && (choice / 10 == 5 || (choice >= 75 && lane_ >= 2)))
    return {kind::transfer, n, {}, {}, 0, false, new_transfer(d)};
  if (choice >= 90 && lane_ == 0) {
    if (!scratch_.empty() && scratch_.back().second < last_mark &&
        (d.roll(8) == 0 || scratch_.size() >= most_scratch))
      return {kind::clear_scratch, n, {}, {}, 0, false};
    if (scratch_.size() < most_scratch)
      return {kind::scratch, n, {}, {object{{"id", "s" + std::to_string(n)}, {"n", n}}}, 0, false};
  } else if (choice >= 90 && lane_ == 1) {
    if (events_[1].empty())
      return {kind::event, n, {}, {object{{"owner", lane_}, {"n", n}}}, 0, true};
    if (events_[1].back().n < last_mark)
      return {kind::erase_event, n, {}, {}, 0, true};
  } else if (choice >= 60) {
    auto& events = events_[0];
    if (!events.empty() && (events.size() >= most_events || d.roll(3) == 0)) {
      auto at = d.roll(2) == 0 ? events.size() - 1 : d.roll(events.size());
      if (events[at].n < last_mark)
        return {kind::erase_event, n, {}, {}, at, false};
    }
    if (events.size() < most_events)
      return {kind::event, n, {}, {object{{"owner", lane_}, {"n", n}}}, 0, false};
  }
  if (docs_.size() > most_docs || (docs_.size() > 10 && choice < 12)) {
    auto it = any_doc();
    if (it->second.n < last_mark && !it->first.ends_with("mark"))
      return {kind::erase, n, it->first, {}, 0, false};
  }
  if (docs_.size() <= most_docs && choice < 25)
    return {kind::insert, n, {}, {new_doc(n, free_key(d, {}), d)}, 0, false};
  if (docs_.size() <= most_docs && choice < 35) {
    kill_step s{kind::insert_many, n, {}, {}, 0, false};
    for (auto i = 2 + d.roll(4); i > 0; --i) {
      auto one = new_doc(n, free_key(d, s.docs), d);
      for (auto& other : s.docs) // unique values within the commit, too
        if (auto* v = other.find("mail"); v && one.contains("mail") && *v == *one.find("mail"))
          one["mail"] = nullptr;
      s.docs.push_back(std::move(one));
    }
    return s;
  }
  if (docs_.empty() || choice < 42) {
    auto key = docs_.empty() || d.roll(2) == 0 ? free_key(d, {}) : any_doc()->first;
    return {kind::upsert, n, key, {new_doc(n, key, d)}, 0, false};
  }
  return {kind::update, n, any_doc()->first, {changes(n, d)}, 0, false};
}

transfer lane_model::new_transfer(dice& d) {
  constexpr auto half = accounts / 2;
  auto account = [&] { return static_cast<unsigned>(d.roll(half)); };
  auto from = account();
  return {1 + static_cast<std::int64_t>(d.roll(100)), from, half + account()};
}

// -- what it does

void lane_model::move(const transfer& t, std::int64_t n) {
  auto hash = [&] {
    auto& m = transfers_;
    return m.last() == 0 ? 0 : ledger_hash(m.last(), m.list(), m.version());
  };
  hash_ -= hash();
  transfers_.apply(t, n);
  hash_ += hash();
}

void lane_model::change(const std::string& key, const object& changes) {
  auto& d = docs_.at(key);
  hash_ -= hash_of(d);
  for (auto& [name, content] : changes)
    d.fields[name] = content;
  d.n = d.fields.find("n")->as_int();
  ++d.version;
  hash_ += hash_of(d);
}

void lane_model::put(const object& fields, bool may_exist) {
  auto key = fields.find("id")->as_string();
  if (may_exist && docs_.contains(key))
    return change(key, fields);
  auto& d = docs_[key];
  d = {fields, 1, ++inserted_, fields.find("n")->as_int()};
  hash_ += hash_of(d);
}

void lane_model::remove(const std::string& key) {
  hash_ -= hash_of(docs_.at(key));
  docs_.erase(key);
}

void lane_model::apply(const kill_step& step, std::int64_t number) {
  using kind = kill_step::kind;
  switch (step.what) {
  case kind::insert:
  case kind::insert_many:
  case kind::upsert:
    for (auto& fields : step.docs)
      put(fields, step.what == kind::upsert);
    break;
  case kind::update:
    change(step.key, step.docs.front());
    break;
  case kind::erase:
    remove(step.key);
    break;
  case kind::event:
    events_[step.ticket].push_back({step.n, number});
    hash_ += event_hash(step.n, step.ticket);
    break;
  case kind::erase_event:
    hash_ -= event_hash(events_[step.ticket].at(step.event).n, step.ticket);
    events_[step.ticket].erase(events_[step.ticket].begin() +
                               static_cast<std::ptrdiff_t>(step.event));
    break;
  case kind::count:
    hash_ += count_hash(step.n) - count_hash(last_count_);
    last_count_ = step.n;
    ++counted_;
    break;
  case kind::scratch:
    scratch_.emplace_back(step.docs.front().find("id")->as_string(), step.n);
    hash_ += scratch_hash(scratch_.back().first, step.n);
    break;
  case kind::clear_scratch:
    for (auto& [key, n] : scratch_)
      hash_ -= scratch_hash(key, n);
    scratch_.clear();
    break;
  case kind::transfer:
    move(step.move, step.n);
    break;
  }
  done_ = step.n;
}

} // namespace holdfast::testing
