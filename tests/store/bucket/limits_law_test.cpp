// Deadlines, capacity, references and writes of many records together, by random histories against
// a small model: after each step all reads equal the model's, and each write ends as the model's.
#include "tests/support/options_at.hpp"

#include <holdfast/store/memory_journal.hpp>
#include <holdfast/store/store.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <vector>

namespace holdfast {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t most_items = 8;
constexpr seconds bucket_life{20};

/// What the store should hold: items in order of insertion, at most so many, which end by
/// themselves; and notes that refer to items.
class limits_model {
public:
  struct item {
    std::int64_t id;
    std::int64_t n;
    std::int64_t ends; ///< in seconds; 0: never
    bool fresh = false;
  };
  struct note {
    std::int64_t id;
    std::int64_t of;
  };
  enum class outcome { done, refused };

  explicit limits_model(bool cascades) : cascades_{cascades} {}

  std::vector<item> items;
  std::vector<note> notes;
  std::int64_t now = 0;

  bool is_live(const item& i) const { return i.ends == 0 || i.ends > now; }
  item* find(std::int64_t id) {
    auto found = std::ranges::find(items, id, &item::id);
    return found != items.end() && is_live(*found) ? &*found : nullptr;
  }
  std::vector<std::int64_t> ids_where(std::int64_t least) const {
    std::vector<std::int64_t> out;
    for (auto& i : items)
      if (is_live(i) && i.n >= least)
        out.push_back(i.id);
    return out;
  }

  /// Runs `f` on a copy, which takes the place of this one if nothing is refused.
  template <class F>
  outcome commit(F&& f) {
    auto next = *this;
    if (!f(next) || !next.shrink() || !next.is_whole())
      return outcome::refused;
    for (auto& i : next.items)
      i.fresh = false;
    *this = std::move(next);
    return outcome::done;
  }

  bool insert(std::int64_t id, std::int64_t n, std::int64_t ends) {
    if (n > 100 || find(id))
      return false;
    if (std::ranges::any_of(items, [&](auto& i) { return i.id == id; }))
      drop(id); // it has expired
    items.push_back({id, n, ends, true});
    return true;
  }
  bool update(std::int64_t id, std::int64_t n) {
    auto* found = find(id);
    if (!found || n > 100)
      return false;
    found->n = n;
    return true;
  }
  void drop(std::int64_t id) {
    std::erase_if(items, [&](auto& i) { return i.id == id; });
    if (cascades_)
      std::erase_if(notes, [&](auto& x) { return x.of == id; });
  }
  void purge() {
    auto all = items;
    for (auto& i : all)
      if (!is_live(i) && !is_kept(i.id))
        drop(i.id);
  }

private:
  bool is_kept(std::int64_t id) const {
    return !cascades_ && std::ranges::any_of(notes, [&](auto& x) { return x.of == id; });
  }
  /// Nothing refers to what is not there.
  bool is_whole() const {
    return std::ranges::all_of(notes, [&](auto& x) {
      return std::ranges::any_of(items, [&](auto& i) { return i.id == x.of; });
    });
  }
  bool shrink() {
    std::optional<std::int64_t> last; // it came when all others were there
    for (auto& i : items)
      last = i.fresh ? i.id : last;
    while (items.size() > most_items) {
      auto gone = next_to_go(last);
      if (!gone)
        return false;
      drop(*gone);
    }
    return true;
  }
  std::optional<std::int64_t> next_to_go(std::optional<std::int64_t> last) const {
    const item* first = nullptr;
    for (auto& i : items)
      if (!is_live(i) && !is_kept(i.id) && (!first || i.ends < first->ends))
        first = &i;
    if (first)
      return first->id;
    for (auto& i : items)
      if (!is_kept(i.id) && i.id != last)
        return i.id;
    return std::nullopt;
  }

  bool cascades_;
};

enum class way { handles, transactions };

/// A store and its model, which go through the same history.
struct limits_law : ::testing::TestWithParam<std::tuple<on_delete, way>> {
  manual_clock clock{timestamp{seconds{1'000'000}}};
  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
  std::optional<store> db;
  std::optional<bucket<>> items;
  std::optional<bucket<>> notes;
  limits_model model{std::get<0>(GetParam()) == on_delete::cascade};
  std::mt19937_64 random;

  void start() {
    auto options = testing::options_at(clock);
    options.journal = memory_journal(disk);
    db = std::move(*store::start(std::move(options)));
    db->runtime_in_use().log().redirect(nullptr, log_level::off);
    const bool first = !db->has_bucket("items");
    items = first ? *db->define(schema("items")
                                    .key("id", integer())
                                    .field("n", integer().max(100))
                                    .index("n")
                                    .expire_after(bucket_life)
                                    .capacity(most_items))
                  : *db->bucket("items");
    auto refers = integer().required().references("items", std::get<0>(GetParam()));
    notes = first
                ? *db->define(schema("notes").key("id", integer()).field("of", refers).index("of"))
                : *db->bucket("notes");
  }
  std::int64_t any(std::int64_t below) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(below));
  }

  /// Does the same to the store, by a handle or in a transaction, and to the model.
  template <class Store, class Model>
  void step(const char* what, Store to_store, Model to_model) {
    auto ends = model.commit(to_model);
    std::optional<error> failed;
    if (std::get<1>(GetParam()) == way::handles) {
      failed = to_store(*items, *notes);
    } else {
      auto done = db->transact([&](transaction& tx) -> result<void> {
        auto i = tx.in(*items);
        auto n = tx.in(*notes);
        if (auto e = to_store(i, n))
          return fail(*e);
        return {};
      });
      if (!done)
        failed = done.error();
    }
    ASSERT_EQ(failed.has_value(), ends == limits_model::outcome::refused)
        << what << ": " << (failed ? failed->to_string() : "done");
  }
  template <class T>
  static std::optional<error> failure(const result<T>& r) {
    return r ? std::nullopt : std::optional{r.error()};
  }

  void write();
  void write_many();
  void compare();
};

void limits_law::write() {
  const auto id = any(14), n = any(120), lasts = any(30);
  write_options how;
  if (lasts == 0)
    how.never_expires = true;
  else if (lasts < 10)
    how.expires_in = seconds{lasts};
  const auto ends = lasts == 0 ? 0 : model.now + (lasts < 10 ? lasts : bucket_life.count());
  switch (any(6)) {
  case 0:
  case 1:
    return step(
        "insert",
        [&](auto& i, auto&) {
          return failure(i.insert({{"id", id}, {"n", n}}, how).get());
        },
        [&](auto& m) { return m.insert(id, n, ends); });
  case 2:
    return step(
        "upsert",
        [&](auto& i, auto&) {
          return failure(i.upsert({{"id", id}, {"n", n}}).get());
        },
        [&](auto& m) {
          return m.find(id) ? m.update(id, n) : m.insert(id, n, m.now + bucket_life.count());
        });
  case 3:
    return step(
        "touch", [&](auto& i, auto&) { return failure(i.touch(id, how).get()); },
        [&](auto& m) {
          auto* found = m.find(id);
          if (found)
            found->ends = ends;
          return found != nullptr;
        });
  case 4:
    return step(
        "erase", [&](auto& i, auto&) { return failure(i.erase(id).get()); },
        [&](auto& m) {
          const bool there = m.find(id) != nullptr;
          if (there)
            m.drop(id);
          return there;
        });
  default:
    if (any(3) == 0)
      return step(
          "unnote", [&](auto&, auto& x) { return failure(x.erase(id).get()); },
          [&](auto& m) { return std::erase_if(m.notes, [&](auto& x) { return x.id == id; }) > 0; });
    return step(
        "note",
        [&](auto&, auto& x) {
          return failure(x.insert({{"id", id}, {"of", n % 14}}).get());
        },
        [&](auto& m) {
          if (std::ranges::any_of(m.notes, [&](auto& x) { return x.id == id; }) || !m.find(n % 14))
            return false;
          m.notes.push_back({id, n % 14});
          return true;
        });
  }
}

void limits_law::write_many() {
  const auto n = any(105), least = any(100);
  std::vector<object> list;
  for (auto i = any(12), id = any(14); i >= 0; --i, id += 1 + any(2))
    list.push_back({{"id", id}, {"n", any(101)}});
  auto id_of = [](const object& o) { return o.find("id")->as_int(); };
  auto n_of = [](const object& o) { return o.find("n")->as_int(); };
  switch (any(4)) {
  case 0:
    return step(
        "insert_many", [&](auto& i, auto&) { return failure(i.insert_many(list).get()); },
        [&](auto& m) {
          return std::ranges::all_of(list, [&](auto& o) {
            return m.insert(id_of(o), n_of(o), m.now + bucket_life.count());
          });
        });
  case 1:
    return step(
        "upsert_many",
        [&](auto& i, auto&) {
          return failure(i.upsert_many(list, {.expires_in = seconds{5}}).get());
        },
        [&](auto& m) {
          return std::ranges::all_of(list, [&](auto& o) {
            auto* found = m.find(id_of(o));
            if (!found)
              return m.insert(id_of(o), n_of(o), m.now + 5);
            found->ends = m.now + 5;
            return m.update(id_of(o), n_of(o));
          });
        });
  case 2:
    return step(
        "update_many",
        [&](auto& i, auto&) {
          return failure(i.update_many("n"_f >= least, {{"n", n}}).get());
        },
        [&](auto& m) {
          return n <= 100 &&
                 std::ranges::all_of(m.ids_where(least), [&](auto id) { return m.update(id, n); });
        });
  default:
    return step(
        "erase_many", [&](auto& i, auto&) { return failure(i.erase_many("n"_f >= least).get()); },
        [&](auto& m) {
          for (auto id : m.ids_where(least))
            m.drop(id);
          return true;
        });
  }
}

void limits_law::compare() {
  std::vector<std::string> has, should;
  const auto all_items = items->all().get().value();
  const auto all_notes = notes->all().get().value();
  for (auto& r : all_items)
    has.push_back(r.key().to_string() + ":" + r["n"].to_string());
  for (auto& i : model.items)
    if (model.is_live(i))
      should.push_back(std::to_string(i.id) + ":" + std::to_string(i.n));
  ASSERT_EQ(has, should);
  ASSERT_EQ(*items->count().get(), should.size());
  const auto least = any(100);
  ASSERT_EQ(*items->count("n"_f >= least).get(), model.ids_where(least).size());
  for (std::int64_t id = 0; id < 14; ++id)
    ASSERT_EQ(items->contains(id), model.find(id) != nullptr) << id;
  has.clear();
  should.clear();
  for (auto& r : all_notes)
    has.push_back(r.key().to_string() + ":" + r["of"].to_string());
  for (auto& x : model.notes)
    should.push_back(std::to_string(x.id) + ":" + std::to_string(x.of));
  ASSERT_EQ(has, should);
}

TEST_P(limits_law, all_reads_are_those_of_the_model) {
  for (unsigned seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(seed);
    random.seed(seed);
    disk = std::make_shared<memory_disk>();
    db.reset();
    model = limits_model{std::get<0>(GetParam()) == on_delete::cascade};
    model.now = clock.now().time_since_epoch() / seconds{1};
    start();
    for (int i = 0; i < 1500; ++i) {
      SCOPED_TRACE(i);
      if (i % 300 == 299) {
        ASSERT_TRUE(db->stop());
        db.reset();
        start();
      }
      const auto what = any(10);
      if (what == 0) {
        const auto lasts = 1 + any(6);
        clock.advance(seconds{lasts});
        model.now += lasts;
      } else if (what == 1) {
        ASSERT_TRUE(db->purge());
        model.purge();
      } else if (what < 4) {
        write_many();
      } else {
        write();
      }
      if (HasFatalFailure())
        return;
      compare();
      if (HasFatalFailure())
        return;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    each, limits_law,
    ::testing::Combine(::testing::Values(on_delete::restrict, on_delete::cascade),
                       ::testing::Values(way::handles, way::transactions)),
    [](auto& param) {
      return std::string{std::get<0>(param.param) == on_delete::cascade ? "cascade" : "restrict"} +
             (std::get<1>(param.param) == way::handles ? "_handles" : "_transactions");
    });

} // namespace
} // namespace holdfast
