#include "history.hpp"

#include <holdfast/store/memory_journal.hpp>

#include <algorithm>
#include <atomic>
#include <latch>
#include <mutex>
#include <thread>

namespace holdfast::testing {
namespace {

constexpr std::int64_t key_count = 12;

std::string text_of(const record& r) {
  return r.key().to_string() + ":" + r["n"].to_string() + ":" + r["tag"].to_string() + ":" +
         r["list"].to_string() + ":" + r["parent"].to_string();
}

std::string text_of(const records& list) {
  std::string out;
  for (auto& r : list)
    out += text_of(r) + "\n";
  return out;
}

schema items(const std::string& name) {
  return schema(name)
      .key("id", integer())
      .field("n", integer())
      .field("tag", string().unique())
      .field("list", string())
      .index("n");
}

/// The buckets, and what one thread does with them.
struct bench {
  store db;
  bucket<> left, right, log;

  explicit bench(bool persistent)
      : db{start(persistent)}, left{define(items("left"))},
        right{define(
            items("right").field("parent", integer().references("left", on_delete::cascade)))},
        log{define(schema("log").key("id", integer()))} {}

  static store start(bool persistent) {
    store_options options;
    options.restart_budget = 1'000'000;
    if (persistent) {
      options.journal = memory_journal(std::make_shared<memory_disk>());
      options.durability = durability::group;
    }
    auto made = std::move(*store::start(std::move(options)));
    made.runtime_in_use().log().redirect(nullptr, log_level::off);
    return made;
  }
  bucket<> define(const schema& s) { return std::move(*db.define(s)); }
  sequence published() const {
    auto now = db.snapshot();
    return std::max(now.memory_seq(), now.durable_seq());
  }
};

/// Does steps in one transaction and keeps what they gave.
class actor_of_steps {
public:
  actor_of_steps(bench& on, transaction& tx, planted_bug bug)
      : left_{tx.in(on.left)}, right_{tx.in(on.right)}, bug_{bug}, then_{on.db.snapshot()},
        past_left_{on.left.at(then_)}, past_right_{on.right.at(then_)} {}

  std::string operator()(step s) {
    auto& b = s.right ? right_ : left_;
    auto& past = s.right ? past_right_ : past_left_;
    s.gave = run(s, b, past);
    steps.push_back(s);
    return s.gave;
  }
  std::vector<step> steps;

private:
  std::string run(const step& s, bucket<>& b, bucket<>& past) {
    using what = step::what;
    switch (s.kind) {
    case what::get: {
      auto r = (bug_ == planted_bug::unread_keys ? past : b).get(s.key).get();
      return r ? text_of(*r) : "-";
    }
    case what::insert: {
      object fields{{"id", s.key}, {"n", s.number}};
      if (s.parent)
        fields.set("parent", *s.parent);
      return outcome(b.insert(fields).get());
    }
    case what::set_number:
      return outcome(b.update(s.key, {{"n", s.number}}).get());
    case what::set_tag:
      return outcome(s.text.empty() ? b.update(s.key, {{"tag", nullptr}}).get()
                                    : b.update(s.key, {{"tag", s.text}}).get());
    case what::append: {
      auto old = b.get(s.key).get();
      if (!old)
        return "not_found";
      auto list =
          (*old)["list"].is_null() ? std::string{} : std::string{(*old)["list"].as_string()};
      return outcome(b.update(s.key, {{"list", list + s.text}}).get());
    }
    case what::erase:
      return outcome(b.erase(s.key).get());
    case what::count: {
      auto& from = bug_ == planted_bug::unread_counts ? past : b;
      return std::to_string(
          from.count(filter::between("n", value{s.key}, value{s.number})).get().value_or(0));
    }
    case what::lowest: {
      auto& from = bug_ == planted_bug::unread_orders ? past : b;
      return text_of(*from.everything().order_by("n").first(s.key).get());
    }
    }
    return {};
  }
  static std::string outcome(const result<record>& r) {
    return r ? "ok" : std::string{to_string(r.error().code())};
  }

  bucket<> left_, right_;
  planted_bug bug_;
  snapshot then_;
  bucket<> past_left_, past_right_;
};

/// One random transaction. `pick(n)` gives a number below n.
template <class Pick>
void act(actor_of_steps& act, std::int64_t id, Pick&& pick) {
  using what = step::what;
  auto key = [&] { return static_cast<std::int64_t>(pick(key_count)); };
  bool side = pick(2) == 0;
  switch (pick(8)) {
  case 0: // append, after a look at another list
    act({what::get, side, key(), 0, {}});
    act({what::append, !side, key(), 0, std::to_string(id) + ","});
    break;
  case 1: { // move between buckets
    auto from = key(), to = key();
    act({what::get, false, from, 0, {}});
    act({what::get, true, to, 0, {}});
    act({what::set_number, false, from, static_cast<std::int64_t>(pick(100)), {}});
    act({what::set_number, true, to, static_cast<std::int64_t>(pick(100)), {}});
    break;
  }
  case 2: { // count a range, and add to it or take of it
    auto low = static_cast<std::int64_t>(pick(90));
    auto many = act({what::count, side, low, low + 20, {}});
    if (many < std::string{"3"})
      act({what::insert, side, key(), low + 5, {}});
    else
      act({what::erase, side, key(), 0, {}});
    break;
  }
  case 3: { // hand a unique value over
    auto from = key(), to = key();
    auto gave = act({what::get, side, from, 0, {}});
    act({what::set_tag, side, from, 0, {}});
    act({what::set_tag, side, to, 0, "t" + std::to_string(id)});
    if (gave != "-" && from != to)
      act({what::set_tag, side, from, 0, "u" + std::to_string(id)});
    break;
  }
  case 4: { // refer to a record that is there, or end one with all that refer to it
    auto parent = key();
    if (pick(3) == 0) {
      act({what::erase, false, parent, 0, {}});
      if (pick(2) == 0)
        act({what::insert, false, parent, 1, {}});
    } else if (act({what::get, false, parent, 0, {}}) != "-") {
      act({what::insert, true, key(), 50, {}, parent});
    }
    break;
  }
  case 5: { // a decision on what is absent
    auto a = key();
    if (act({what::get, side, a, 0, {}}) == "-")
      act({what::insert, !side, key(), static_cast<std::int64_t>(pick(100)), {}});
    else
      act({what::set_number, !side, key(), 7, {}});
    break;
  }
  case 6: // a decision on the lowest
    if (act({what::lowest, side, 2, 0, {}}).size() > 12)
      act({what::set_number, !side, key(), static_cast<std::int64_t>(pick(20)), {}});
    break;
  default: // only reads
    act({what::lowest, side, 3, 0, {}});
    act({what::count, !side, 0, 100, {}});
    act({what::get, side, key(), 0, {}});
  }
}

/// The log record tells the commit of a transaction.
void run_thread(bench& on, const history_options& options, unsigned thread, history& out,
                std::mutex& guard) {
  std::mt19937_64 random{options.seed * 1000 + thread};
  history mine;
  for (std::size_t i = 0; i < options.transactions; ++i) {
    done_transaction done;
    done.id = static_cast<std::int64_t>(thread) * 1'000'000'000 + static_cast<std::int64_t>(i) + 1;
    const auto seed = random();
    if (i % 8 == 7) { // a plain write
      step s{step::what::set_number,
             thread % 2 == 0,
             static_cast<std::int64_t>(seed % key_count),
             static_cast<std::int64_t>(seed % 97),
             {}};
      auto wrote = (s.right ? on.right : on.left).update(s.key, {{"n", s.number}}).get();
      if (!wrote)
        continue;
      s.gave = "ok";
      done.seq = wrote->block()->birth.load();
      done.steps.push_back(s);
      mine.all.push_back(std::move(done));
      continue;
    }
    done.first = on.published();
    int attempts = 0;
    auto ran = on.db.transact(
        [&](transaction& tx) -> result<std::vector<step>> {
          ++attempts;
          std::mt19937_64 same{seed};
          actor_of_steps steps{on, tx, options.bug};
          act(steps, done.id, [&](std::uint64_t n) { return same() % n; });
          auto writes = std::ranges::any_of(
              steps.steps, [](auto& s) { return s.gave == "ok" && s.kind != step::what::get; });
          if (writes)
            if (auto logged = tx.in(on.log).insert({{"id", done.id}}).get(); !logged)
              return fail(logged.error());
          return steps.steps;
        },
        {.retries = 1, .exclusive_retries = 1000, .timeout = std::chrono::seconds{60}});
    done.last = on.published();
    mine.conflicts += static_cast<std::size_t>(attempts - 1);
    if (!ran) {
      mine.failures.push_back(ran.error().to_string());
      continue;
    }
    done.steps = std::move(*ran);
    if (auto logged = on.log.get(done.id).get())
      done.seq = logged->block()->birth.load();
    mine.all.push_back(std::move(done));
  }
  std::lock_guard lock{guard};
  std::ranges::move(mine.all, std::back_inserter(out.all));
  std::ranges::move(mine.failures, std::back_inserter(out.failures));
  out.conflicts += mine.conflicts;
}

} // namespace

history run_history(const history_options& options) {
  bench on{options.persistent};
  history out;
  for (std::int64_t k = 0; k < key_count; k += 2) {
    for (bool right : {false, true}) {
      auto added = (right ? on.right : on.left).insert({{"id", k}, {"n", k * 5}}).get();
      done_transaction first{0, added->block()->birth.load(), 0, 0, {}};
      first.steps.push_back({step::what::insert, right, k, k * 5, {}, {}, "ok"});
      out.all.push_back(std::move(first));
    }
  }
  std::mutex guard;
  std::atomic<unsigned> running{options.threads};
  std::latch begin{options.threads};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < options.threads; ++t)
    threads.emplace_back([&, t] {
      begin.arrive_and_wait();
      run_thread(on, options, t + 1, out, guard);
      --running;
    });
  while (options.crashes && running > 0)
    for (auto* name : {"left", "right", "log"})
      (void)on.db.crash(name);
  for (auto& t : threads)
    t.join();
  out.left = text_of(*on.left.all().get());
  out.right = text_of(*on.right.all().get());
  return out;
}

// -- the check

namespace {

struct item {
  std::int64_t number = 0;
  std::string tag, list;
  std::optional<std::int64_t> parent;
  std::uint64_t row = 0;
};

/// The two buckets as a serial run makes them.
class model {
public:
  /// What the step gives; a step of a transaction that wrote nothing leaves the model as it is.
  std::string run(const step& s, bool writes) {
    using what = step::what;
    auto& b = side_[s.right];
    auto at = b.find(s.key);
    switch (s.kind) {
    case what::get:
      return at == b.end() ? "-" : text(*at);
    case what::insert:
      if (at != b.end())
        return "duplicate";
      if (writes)
        b[s.key] = {s.number, {}, {}, s.parent, next_row_++};
      return "ok";
    case what::set_number:
      return change(b, s.key, writes, [&](item& x) { x.number = s.number; });
    case what::set_tag:
      return change(b, s.key, writes, [&](item& x) { x.tag = s.text; });
    case what::append:
      return change(b, s.key, writes, [&](item& x) { x.list += s.text; });
    case what::erase:
      if (at == b.end())
        return "not_found";
      if (!writes)
        return "ok";
      b.erase(at);
      if (!s.right)
        std::erase_if(side_[1], [&](auto& e) { return e.second.parent == s.key; });
      return "ok";
    case what::count:
      return std::to_string(std::ranges::count_if(
          b, [&](auto& e) { return e.second.number >= s.key && e.second.number <= s.number; }));
    case what::lowest:
      return listed(b, static_cast<std::size_t>(s.key), [](auto* e) {
        return std::pair{e->second.number, e->second.row};
      });
    }
    return {};
  }
  std::string listed(bool right) const {
    return listed(side_[right], ~std::size_t{0}, [](auto* e) { return e->second.row; });
  }

private:
  using bucket_of_items = std::map<std::int64_t, item>;
  using entry = bucket_of_items::value_type;

  template <class F>
  static std::string change(bucket_of_items& b, std::int64_t key, bool writes, F&& f) {
    auto at = b.find(key);
    if (at == b.end())
      return "not_found";
    if (writes)
      f(at->second);
    return "ok";
  }
  static std::string quoted(const std::string& s) { return s.empty() ? "null" : '"' + s + '"'; }
  static std::string text(const entry& e) {
    auto& x = e.second;
    return std::to_string(e.first) + ":" + std::to_string(x.number) + ":" + quoted(x.tag) + ":" +
           quoted(x.list) + ":" + (x.parent ? std::to_string(*x.parent) : "null");
  }
  template <class Order>
  static std::string listed(const bucket_of_items& b, std::size_t most, Order&& order) {
    std::vector<const entry*> all;
    for (auto& e : b)
      all.push_back(&e);
    std::ranges::sort(all, {}, order);
    all.resize(std::min(all.size(), most));
    std::string out;
    for (auto* e : all)
      out += text(*e) + "\n";
    return out;
  }

  bucket_of_items side_[2];
  std::uint64_t next_row_ = 0;
};

/// The first step that gives something else in the model; nothing if all agree.
std::optional<std::string> disagreement(model& m, const done_transaction& t) {
  for (std::size_t i = 0; i < t.steps.size(); ++i)
    if (auto gives = m.run(t.steps[i], t.seq > 0); gives != t.steps[i].gave)
      return "transaction " + std::to_string(t.id) + " at " + std::to_string(t.seq) + ", step " +
             std::to_string(i) + ": it saw\n" + t.steps[i].gave + "\nwhere a serial run has\n" +
             gives;
  return std::nullopt;
}

} // namespace

std::optional<std::string> find_anomaly(const history& ran) {
  std::vector<const done_transaction*> writers, readers;
  for (auto& t : ran.all)
    (t.seq > 0 ? writers : readers).push_back(&t);
  std::ranges::sort(writers, {}, &done_transaction::seq);
  std::ranges::sort(readers, {}, &done_transaction::first);
  std::vector<const done_transaction*> open; // readers that agreed with no moment yet
  std::size_t next_reader = 0;
  std::optional<std::string> why;
  model m;
  auto look = [&](sequence from, sequence to) { // the model is that of [from, to)
    for (; next_reader < readers.size() && readers[next_reader]->first < to; ++next_reader)
      open.push_back(readers[next_reader]);
    std::erase_if(open, [&](auto* t) {
      if (t->last < from || t->first >= to)
        return false;
      return !disagreement(m, *t); // it changes nothing
    });
    for (auto* t : open)
      if (t->last < to && !why)
        why = "transaction " + std::to_string(t->id) + " read what there was at no moment from " +
              std::to_string(t->first) + " to " + std::to_string(t->last);
  };
  for (std::size_t i = 0; i < writers.size() && !why; ++i) {
    if (i > 0 && writers[i]->seq == writers[i - 1]->seq)
      return "two transactions are commit " + std::to_string(writers[i]->seq);
    if (auto found = disagreement(m, *writers[i]))
      return found;
    look(writers[i]->seq, i + 1 < writers.size() ? writers[i + 1]->seq : ~sequence{0});
  }
  if (!why && m.listed(false) != ran.left)
    why = "left ends as\n" + ran.left + "where a serial run ends as\n" + m.listed(false);
  if (!why && m.listed(true) != ran.right)
    why = "right ends as\n" + ran.right + "where a serial run ends as\n" + m.listed(true);
  return why;
}

namespace {

/// Whose appends a list shows, in order; the list is what a look-up gave.
std::vector<std::int64_t> appends_in(const std::string& gave) {
  std::vector<std::int64_t> out;
  auto field = gave.find(':');
  for (int i = 0; i < 2 && field != std::string::npos; ++i)
    field = gave.find(':', field + 1);
  if (field == std::string::npos || gave[field + 1] != '"')
    return out;
  for (auto at = field + 2; at < gave.size() && gave[at] != '"';) {
    auto end = gave.find(',', at);
    out.push_back(std::stoll(gave.substr(at, end - at)));
    at = end + 1;
  }
  return out;
}

} // namespace

std::vector<std::int64_t> find_cycle(const history& ran) {
  // Which transaction must come before which: writers of a list in its order, a reader behind what
  // it saw and before what it did not see.
  std::map<std::int64_t, std::vector<std::int64_t>> before;
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t>
      next; // (list's begin, last) -> next
  auto each_read = [&](auto&& f) {
    for (auto& t : ran.all)
      for (auto& s : t.steps)
        if (s.kind == step::what::get)
          if (auto seen = appends_in(s.gave); !seen.empty())
            f(t.id, seen);
  };
  each_read([&](std::int64_t, auto& seen) {
    for (std::size_t i = 1; i < seen.size(); ++i) {
      before[seen[i - 1]].push_back(seen[i]);
      next[{seen[0], seen[i - 1]}] = seen[i];
    }
  });
  each_read([&](std::int64_t reader, auto& seen) {
    if (seen.back() != reader)
      before[seen.back()].push_back(reader);
    if (auto unseen = next.find({seen[0], seen.back()}); unseen != next.end())
      if (unseen->second != reader)
        before[reader].push_back(unseen->second);
  });
  std::map<std::int64_t, int> state; // 1: on the path, 2: done
  std::vector<std::int64_t> path;
  auto visit = [&](auto&& self, std::int64_t at) -> bool {
    state[at] = 1;
    path.push_back(at);
    for (auto to : before[at])
      if (state[to] == 1 || (state[to] == 0 && self(self, to)))
        return true;
    state[at] = 2;
    path.pop_back();
    return false;
  };
  std::vector<std::int64_t> all;
  for (auto& [id, list] : before)
    all.push_back(id);
  for (auto id : all)
    if (state[id] == 0 && visit(visit, id))
      return path;
  return {};
}

} // namespace holdfast::testing
