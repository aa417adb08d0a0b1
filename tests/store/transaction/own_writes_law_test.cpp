// The law of own writes: what a transaction sees of a bucket that it has written to is what
// everybody sees after its commit.
#include "../query/random_data.hpp"
#include "tests/support/options_at.hpp"

#include <holdfast/store/detail/bucket_core.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

namespace holdfast::testing {
namespace {

std::string answer_text(const records& list) {
  std::string out;
  for (auto& r : list)
    out += r.to_string() + " " + std::to_string(r.version()) + "\n";
  return out;
}
template <class T>
std::string answer_text(const result<T>& r) {
  if (!r)
    return std::string{to_string(r.error().code())};
  if constexpr (std::is_same_v<T, records>)
    return answer_text(*r);
  else if constexpr (std::is_same_v<T, value> || std::is_same_v<T, record>)
    return r->to_string();
  else
    return std::to_string(*r);
}

std::string list_text(const result<std::vector<object>>& list) {
  if (!list)
    return std::string{to_string(list.error().code())};
  std::string out;
  for (auto& one : *list)
    out += value{one}.to_string() + ";";
  return out;
}
std::string list_text(const result<groups>& list) {
  if (!list)
    return std::string{to_string(list.error().code())};
  std::string out;
  for (auto& one : *list) {
    for (auto& key : one.key)
      out += key.to_string() + ",";
    for (auto& number : one.results)
      out += "=" + number.to_string();
    out += ";";
  }
  return out;
}

selection select(const bucket<>& b, const query& q) {
  auto out = b.where(q.which());
  for (auto& term : q.order())
    out = std::move(out).then_by(term.field, term.way);
  return std::move(out).offset(q.offset()).limit(q.limit());
}

/// Numbers over a query's records, of all fields that have any: what has none is an error, the same
/// everywhere.
std::string numbers(const selection& s) {
  std::string out = " count: " + answer_text(s.count().get());
  for (std::string field : {"int", "num", "rank", "text", "day", "thing.a", "thing.c.d"})
    out += " " + field + ": sum " + answer_text(s.sum(field).get()) + " avg " +
           answer_text(s.avg(field).get()) + " min " + answer_text(s.min(field).get()) + " max " +
           answer_text(s.max(field).get());
  return out;
}

std::string grouped(const selection& s) {
  const std::vector<aggregate> each{aggregate::count(),    aggregate::count("code"),
                                    aggregate::sum("int"), aggregate::avg("num"),
                                    aggregate::min("day"), aggregate::max("text")};
  std::string out = " groups:";
  for (auto& keys : std::vector<std::vector<field_name>>{{}, {"flag"}, {"text", "int"}})
    out += " " + list_text(s.group_by(keys, each).get());
  return out;
}

std::string pages(const selection& s) {
  std::string out = " pages:";
  std::optional<std::string> after;
  for (int i = 0; i < 3; ++i) {
    auto page = s.page_of(4, after).get();
    if (!page)
      return out + std::string{to_string(page.error().code())};
    out += " " + answer_text(page->items);
    after = page->next;
    if (!after)
      break;
  }
  return out;
}

std::string visited(const selection& s) {
  std::string out = " visited:";
  auto many = s.visit([&](const record_view& r) {
    out += " " + r.key().to_string();
    return out.size() < 80;
  });
  return out + " " + answer_text(many);
}

/// All ways to read a query, as text.
std::string answers(const bucket<>& b, const query& q) {
  auto s = select(b, q);
  auto parts = select(b, q).fields({"id", "int", "thing.c"});
  return q.to_string() + "\nall: " + answer_text(s.all().get()) +
         "first: " + answer_text(s.first(3).get()) + " last: " + answer_text(s.last(3).get()) +
         "one: " + answer_text(s.find_one().get()) + " objects: " + list_text(s.objects().get()) +
         " of some fields: " + list_text(parts.objects().get()) + numbers(s) + grouped(s) +
         pages(s) + visited(s);
}

/// What is there under a key, and whether.
std::string answers(const bucket<>& b, const value& key) {
  return key.to_string() + ": " + answer_text(b.get(key).get()) +
         (b.contains(key) ? " there" : " not there");
}

class own_writes_law : public ::testing::TestWithParam<std::uint32_t> {
protected:
  random_data random{GetParam()};
  bool integer_key = random.chance(30);
  manual_clock clock;
  store db = start();
  bucket<> things = define();
  reference_bucket model{false}; ///< only to make queries of
  std::int64_t serial = 0;

  /// What ends by itself does so between transactions, and is held until it is purged by them.
  store start() { return store::start(options_at(clock)).value(); }
  write_options some_time() {
    write_options out;
    if (random.chance(40))
      out.expires_in = std::chrono::seconds{1 + random.below(4)};
    return out;
  }
  std::uint64_t held() { return things.core().data().live_count(); }
  std::uint64_t count() { return *things.count().get(); }

  bucket<> define() {
    auto s = random_data::fields(integer_key, random.chance(30));
    for (std::string field : {"text", "num", "int", "flag", "day"})
      if (random.chance(60))
        s.index(field);
    for (std::string field : {"text", "code", "list"})
      if (random.chance(50))
        s.inverted_index(field);
    s.index(random.fields_of_index());
    return std::move(*db.define(s));
  }
  value id() {
    auto n = static_cast<std::int64_t>(random.below(80));
    return integer_key ? value(n) : value("k" + std::to_string(n));
  }
  void write(const bucket<>& b) {
    auto fields = random.record(id(), ++serial);
    if (random.chance(40)) {
      if (b.insert(fields, some_time()).get())
        model.entries.push_back({fields, 0});
    } else if (random.chance(50)) {
      object changes;
      for (std::string_view field : {"text", "num", "int", "flag"})
        if (random.chance(40))
          changes.set(field, random.chance(20) ? value{} : random.of(field));
      (void)b.update(id(), changes, some_time()).get();
    } else {
      (void)b.erase(id()).get();
    }
  }
};

TEST_P(own_writes_law, holds_for_random_writes_and_queries) {
  for (auto n = random.below(120); n > 0; --n)
    write(things);
  for (int round = 0; round < 4; ++round) {
    std::vector<query> queries;
    std::vector<value> keys;
    std::vector<std::string> inside, inside_keys;
    clock.advance(std::chrono::seconds{random.below(3)});
    const auto expired = held() - count();
    const bool first = random.chance(30), last = random.chance(30);
    auto done = db.transact([&](transaction& tx) -> result<void> {
      auto mine = tx.in(things);
      if (first) {
        EXPECT_EQ(*mine.purge(), expired);
      }
      for (auto n = random.below(40); n > 0; --n)
        write(mine);
      if (last) {
        EXPECT_LE(*mine.purge(), first ? 0 : expired) << "others were replaced";
      }
      (void)tx.nested([&]() -> result<void> {
        for (auto n = random.below(5); n > 0; --n)
          write(mine);
        return fail(errc::cancelled, "no");
      });
      for (int i = 0; i < 20; ++i) {
        queries.push_back(random.any_query(model));
        inside.push_back(answers(mine, queries.back()));
        keys.push_back(id());
        inside_keys.push_back(answers(mine, keys.back()));
      }
      return {};
    });
    ASSERT_TRUE(done) << done.error().to_string();
    if (first || last) {
      EXPECT_EQ(held(), count()) << "round " << round;
    }
    for (std::size_t i = 0; i < queries.size(); ++i)
      ASSERT_EQ(inside[i], answers(things, queries[i])) << "round " << round;
    for (std::size_t i = 0; i < keys.size(); ++i)
      ASSERT_EQ(inside_keys[i], answers(things, keys[i])) << "round " << round;
  }
}

INSTANTIATE_TEST_SUITE_P(seeds, own_writes_law, ::testing::Range(1U, 13U));

} // namespace
} // namespace holdfast::testing
