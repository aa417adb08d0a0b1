// A full bucket and others that refer to it, by random histories against a small model: after each
// step all reads equal the model's, and each write ends as the model's.
#include "capacity_model.hpp"
#include "tests/support/options_at.hpp"

#include <holdfast/store/store.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace holdfast {
namespace {

using namespace full_bucket;

using std::chrono::seconds;

/// A store and its model, which go through the same history; with references within the cache or
/// without, for with them each write to it has all looked at anew.
struct capacity_law : ::testing::TestWithParam<bool> {
  manual_clock clock{timestamp{seconds{1'000'000}}};
  std::optional<store> db;
  std::vector<bucket<>> in;
  capacity_model model;
  std::mt19937_64 random;

  void start();
  static bool has(place b, const link& by) {
    return by.from == b && (by.from != cache || GetParam());
  }
  std::int64_t any(std::int64_t below) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(below));
  }
  std::int64_t any_key(place b, bool there) {
    auto id = any(most_keys);
    for (int tries = 0; tries < 5 && (model.there({b, id}) != nullptr) != there; ++tries)
      id = any(most_keys);
    return id;
  }
  action any_action(place b, verb what);
  std::optional<errc> act(const bucket<>& b, const action& a) const;
  std::optional<errc> commit(const std::vector<action>& all, way how);
  void write();
  void compare() const;
};

void capacity_law::start() {
  in.clear();
  auto options = testing::options_at(clock);
  db.reset();
  db = std::move(*store::start(std::move(options)));
  for (auto b : {cache, lists, lines, pins}) {
    auto s = schema(names[b]).key("id", integer());
    for (auto& by : links)
      if (has(b, by))
        s.field(by.field, integer().references(names[by.to], by.what));
    in.push_back(*db->define(b == cache ? s.capacity(most_in_cache) : s));
  }
  model = {};
}

action capacity_law::any_action(place b, verb what) {
  action a{what,
           {b, any_key(b, what != verb::insert)},
           {},
           any(b == cache ? 2 : 4) == 0 ? 1 + any(9) : 0};
  if (auto* old = model.there(a.at); old && any(2) == 0)
    return a.refs = old->refs, a; // a reference that stays may be to what has expired
  for (auto& by : links)
    if (has(b, by) && any(b == cache ? 2 : 5) != 0)
      a.refs[by.slot] = any_key(by.to, true);
  return a;
}

object fields(const action& a) {
  object out{{"id", a.at.id}};
  for (auto& by : links)
    if (by.from == a.at.in)
      out.set(by.field, a.refs[by.slot] ? value{*a.refs[by.slot]} : value{nullptr});
  return out;
}

std::optional<errc> capacity_law::act(const bucket<>& b, const action& a) const {
  const auto ended = [](const auto& r) {
    return r ? std::nullopt : std::optional{r.error().code()};
  };
  write_options how;
  if (a.lasts != 0)
    how.expires_in = seconds{a.lasts};
  switch (a.what) {
  case verb::insert:
    return ended(b.insert(fields(a), how).get());
  case verb::upsert:
    return ended(b.upsert(fields(a), how).get());
  case verb::update:
    return ended(b.update(a.at.id, fields(a), how).get());
  default:
    return ended(b.erase(a.at.id).get());
  }
}

std::optional<errc> capacity_law::commit(const std::vector<action>& all, way how) {
  if (how == way::plain)
    return act(in[all[0].at.in], all[0]);
  if (how == way::many) {
    std::vector<object> list;
    for (auto& a : all)
      list.push_back(fields(a));
    auto done = in[all[0].at.in].insert_many(list).get();
    return done ? std::nullopt : std::optional{done.error().code()};
  }
  auto done = db->transact([&](transaction& tx) -> result<void> {
    for (auto& a : all)
      if (auto failed = act(tx.in(in[a.at.in]), a))
        return fail(*failed, "as it should");
    return {};
  });
  return done ? std::nullopt : std::optional{done.error().code()};
}

/// Many that are written at once refer to what may not be there, so that all is taken back.
void capacity_law::write() {
  constexpr std::array verbs{verb::insert, verb::insert, verb::insert,
                             verb::upsert, verb::update, verb::erase};
  constexpr std::array where{cache, cache, cache, cache, lists, lists, lines, lines, pins, pins};
  const auto kind = any(10);
  const auto how = kind < 6 ? way::plain : kind < 8 ? way::many : way::transaction;
  const auto count = how == way::plain ? 1 : any(8) == 0 ? 8 : 2 + any(3);
  const auto one = where[static_cast<std::size_t>(any(10))];
  std::vector<action> all;
  while (std::ssize(all) < count) {
    const auto b = how == way::many ? one : where[static_cast<std::size_t>(any(10))];
    const auto what = how == way::many ? verb::insert : verbs[static_cast<std::size_t>(any(6))];
    all.push_back(any_action(b, what));
    if (how == way::many)
      all.back().lasts = 0;
  }
  const auto should = model.commit(all, how);
  ASSERT_EQ(commit(all, how), should);
}

void capacity_law::compare() const {
  constexpr std::int64_t none = -1;
  for (auto b : {cache, lists, lines, pins}) {
    std::vector<std::int64_t> has_now, should; // each record's key, then what it refers to
    const auto all = in[b].all().get().value();
    for (auto& r : all) {
      has_now.push_back(r.key().as_int());
      for (auto& by : links)
        if (has(b, by))
          has_now.push_back(r[by.field].is_null() ? none : r[by.field].as_int());
    }
    for (auto& r : model.rows[b])
      if (model.is_live(r)) {
        should.push_back(r.id);
        for (auto& by : links)
          if (has(b, by))
            should.push_back(r.refs[by.slot].value_or(none));
      }
    ASSERT_EQ(has_now, should) << names[b];
  }
}

TEST_P(capacity_law, all_reads_are_those_of_the_model) {
  const char* asked = std::getenv("HOLDFAST_LAW_SEEDS");
  const auto seeds = asked ? std::strtoul(asked, nullptr, 10) : 200;
  for (auto seed = 1ul; seed <= seeds; ++seed) {
    SCOPED_TRACE(seed);
    random.seed(seed);
    start();
    for (int i = 0; i < 300; ++i) {
      SCOPED_TRACE(i);
      const auto what = any(40);
      if (what < 4) {
        const auto lasts = 1 + any(4);
        clock.advance(seconds{lasts});
        model.now += lasts;
      } else if (what == 4) {
        ASSERT_TRUE(db->purge());
        model.purge();
      } else if (what == 5) { // another generation of the bucket, with the same records
        const auto b = static_cast<std::size_t>(any(4));
        const auto added = "more_" + std::to_string(i);
        ASSERT_TRUE(db->update_bucket(names[b], bucket_update().add_field(added, integer())));
      } else {
        write();
      }
      if (!HasFatalFailure())
        compare();
      if (HasFatalFailure())
        return;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(each, capacity_law, ::testing::Bool(),
                         [](auto& param) { return param.param ? "with_a_tree" : "without"; });

} // namespace
} // namespace holdfast
