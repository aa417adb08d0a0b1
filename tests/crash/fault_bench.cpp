#include "fault_bench.hpp"

#include <tests/support/crash_indexes.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <stdexcept>

namespace holdfast::testing {

namespace {

constexpr std::chrono::seconds patience{60};
/// A deadline that no test lives to see: so that crashes come while deadlines change, too.
const write_options lasting{.expires_in = std::chrono::hours{100}};

schema bench_schema(std::string name) {
  return schema(std::move(name))
      .key("id", string())
      .field("n", integer().required())
      .field("mail", string().unique())
      .field("phone", string().unique())
      .field("role", string())
      .index("n")
      .index("role")
      .inverted_index("role");
}

} // namespace

std::vector<std::string> fault_points_in_sources() {
  namespace fs = std::filesystem;
  std::set<std::string> names;
  std::regex point{R"re(fault_point\("([^"]+)"\))re"};
  for (auto* part : {"store", "runtime", "persistence"})
    for (auto& file : fs::recursive_directory_iterator{fs::path{HOLDFAST_SOURCE_DIR} / part}) {
      if (!file.is_regular_file())
        continue;
      std::ifstream in{file.path()};
      std::string text{std::istreambuf_iterator<char>{in}, {}};
      for (std::sregex_iterator at{text.begin(), text.end(), point}, end; at != end; ++at)
        names.insert((*at)[1]);
    }
  return {names.begin(), names.end()};
}

// -- the model

void bucket_model::insert(const object& fields) {
  auto key = fields.find("id")->as_string();
  entries_[key] = {fields, 1};
  order_.push_back(key);
}

void bucket_model::update(const std::string& key, const object& changes) {
  auto& e = entries_.at(key);
  for (auto& [name, content] : changes)
    e.fields[name] = content;
  ++e.version;
}

void bucket_model::erase(const std::string& key) {
  entries_.erase(key);
  std::erase(order_, key);
}

void bucket_model::clear() {
  entries_.clear();
  order_.clear();
}

std::optional<std::string> bucket_model::oldest() const {
  return order_.empty() ? std::nullopt : std::optional{order_.front()};
}

std::vector<std::string> bucket_model::differences(const bucket<>& b) const {
  std::vector<std::string> out;
  auto all = b.all().get();
  if (!all)
    return {all.error().to_string()};
  std::vector<std::string> keys;
  for (auto& r : *all)
    keys.emplace_back(r.key().as_string());
  if (keys != order_)
    out.push_back(b.name() + ": holds " + std::to_string(keys.size()) + " records, not the " +
                  std::to_string(order_.size()) + " expected, or in another order");
  for (auto& r : *all) {
    auto at = entries_.find(std::string{r.key().as_string()});
    if (at == entries_.end())
      continue;
    for (auto* field : {"n", "mail", "phone", "role"}) {
      auto* wanted = at->second.fields.find(field);
      if (!(r[field] == (wanted ? value_view{*wanted} : value_view{})))
        out.push_back(b.name() + " " + at->first + "." + field + ": is " + r[field].to_string());
    }
    if (r.version() != at->second.version)
      out.push_back(b.name() + " " + at->first + ": has version " + std::to_string(r.version()) +
                    ", not " + std::to_string(at->second.version));
  }
  for (auto& d : index_disagreements(b, {"n", "role"}, {"mail", "phone"}, {"role"}))
    out.push_back(d);
  return out;
}

// -- writes

std::string_view to_string(write_kind k) noexcept {
  constexpr std::string_view names[] = {"insert", "insert_many", "update",
                                        "upsert", "erase",       "clear"};
  return names[static_cast<std::size_t>(k)];
}

std::string to_string(const bench_mode& m) {
  return (m.journal ? std::string{to_string(m.level)} : "memory") +
         (m.caller_runs ? "_by_caller" : "_by_message");
}

std::optional<error> counted_write::wait() {
  auto& answer = state_->answer;
  if (answer.wait_for(patience) != std::future_status::ready)
    throw std::runtime_error("a write was not answered");
  return answer.get();
}

fault_bench::fault_bench(bench_mode mode) : mode_{mode} {
  open();
  for (auto* key : {"a", "b", "c", "d"}) {
    auto [write, after] = start(write_kind::insert);
    if (auto failed = write.wait())
      throw std::runtime_error(failed->to_string());
    accept(std::move(after));
    auto one = fresh(key);
    if (others_->insert(one).get(patience))
      neighbour_.insert(one);
  }
}

void fault_bench::open() {
  store_options options;
  if (mode_.journal) {
    options.journal = memory_journal(disk_);
    options.durability = mode_.level;
  }
  // Crashes come by the thousand here.
  options.restart_budget = 1'000'000;
  options.restart_period = std::chrono::milliseconds{1};
  options.runtime_settings.caller_runs = mode_.caller_runs;
  auto opened = store::start(std::move(options));
  if (!opened)
    throw std::runtime_error(opened.error().to_string());
  db_.emplace(std::move(*opened));
  db_->runtime_in_use().log().redirect({});
  docs_.emplace(*db_->define(bench_schema("docs")));
  others_.emplace(*db_->define(bench_schema("others")));
}

object fault_bench::fresh(const std::string& key) {
  auto n = ++counter_;
  return {{"id", key},
          {"n", n},
          {"mail", "m" + std::to_string(n)},
          {"phone", "p" + std::to_string(n)},
          {"role", n % 2 == 0 ? "even" : "odd"}};
}

std::pair<counted_write, bucket_model> fault_bench::start(write_kind k, void (*told)()) {
  auto after = model_;
  auto key = model_.oldest().value_or("none");
  auto one = fresh("k" + std::to_string(counter_ + 1));
  switch (k) {
  case write_kind::insert:
    after.insert(one);
    return {counted_write{docs_->insert(one, lasting), told}, after};
  case write_kind::insert_many: {
    auto two = fresh("k" + std::to_string(counter_ + 1));
    auto three = fresh("k" + std::to_string(counter_ + 1));
    for (auto& o : {one, two, three})
      after.insert(o);
    return {counted_write{docs_->insert_many({one, two, three}, lasting), told}, after};
  }
  case write_kind::update: {
    object changes{{"n", *one.find("n")},
                   {"mail", *one.find("mail")},
                   {"phone", *one.find("phone")},
                   {"role", *one.find("role")}};
    if (model_.contains(key))
      after.update(key, changes);
    return {counted_write{docs_->update(key, changes, lasting), told}, after};
  }
  case write_kind::upsert:
    if (counter_ % 2 == 0 && model_.contains(key)) {
      one["id"] = key;
      after.update(key, one);
    } else {
      after.insert(one);
    }
    return {counted_write{docs_->upsert(one, lasting), told}, after};
  case write_kind::erase:
    if (model_.contains(key))
      after.erase(key);
    return {counted_write{docs_->erase(key), told}, after};
  case write_kind::clear:
    after.clear();
    return {counted_write{docs_->clear(), told}, after};
  }
  throw std::logic_error("no such write");
}

std::vector<std::string> fault_bench::go_on() {
  std::vector<std::string> out;
  for (int i = 0; i < 2; ++i) {
    auto [write, after] = start(write_kind::insert);
    if (auto failed = write.wait())
      out.push_back("later: " + failed->to_string());
    else
      accept(std::move(after));
  }
  auto n = ++counter_;
  if (auto done = others_->update("a", {{"n", n}}).get(patience))
    neighbour_.update("a", object{{"n", n}});
  else
    out.push_back("the neighbour: " + done.error().to_string());
  for (auto& [b, m] : {std::pair{&*docs_, &model_}, std::pair{&*others_, &neighbour_}})
    for (auto& d : m->differences(*b))
      out.push_back(d);
  return out;
}

std::vector<std::string> fault_bench::reopen(bool crash) {
  if (!mode_.journal)
    return {};
  std::vector<std::string> out;
  if (crash) {
    if (auto done = db_->sync(); !done)
      out.push_back(done.error().to_string());
    disk_->crash(disk_->unsynced());
  }
  if (auto stopped = db_->stop(); !stopped && !crash)
    out.push_back("stop: " + stopped.error().to_string());
  docs_.reset();
  others_.reset();
  db_.reset();
  open();
  for (auto& d : go_on())
    out.push_back("reopened: " + d);
  return out;
}

} // namespace holdfast::testing
