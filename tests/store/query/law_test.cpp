#include "query_fixture.hpp"
#include "random_data.hpp"

#include <holdfast/store/matches.hpp>

#include <map>
#include <set>

// The law of queries: with any indexes, an answer is the one of a plain scan, in the same order.

namespace holdfast::testing {
namespace {

std::string ids(const std::vector<const object*>& list) {
  std::string out;
  for (const auto* o : list)
    out += (out.empty() ? "" : " ") + test_bucket::text_of(reference_bucket::at(*o, "id"));
  return out;
}

class query_laws : public ::testing::TestWithParam<std::uint32_t> {
protected:
  static constexpr std::int64_t now = 1000;

  query_laws()
      : random_{GetParam()},
        integer_key_{random_.chance(30)}, ordered_{random_.chance(30)}, model_{ordered_} {
    auto plain = random_data::fields(integer_key_, ordered_);
    auto some = plain, most = plain;
    for (std::string field : {"text", "num", "int", "flag", "day", "code", "rank"}) {
      most.index(field);
      if (random_.chance(40))
        some.index(field);
    }
    for (std::string field : {"text", "code", "list"}) {
      most.inverted_index(field);
      if (random_.chance(40))
        some.inverted_index(field);
    }
    auto several = plain;
    for (int i = 0; i < 4; ++i)
      if (index_definition one{random_.fields_of_index()};
          std::ranges::find(several.indexes(), one) == several.indexes().end())
        several.index(one.fields);
    most.index(random_.fields_of_index());
    for (const auto& s : {plain, some, most, several})
      buckets_.push_back(std::make_unique<test_bucket>(s));
    if (random_.chance(50))
      for (auto& b : buckets_)
        b->expect_expiry();
    else
      expiring_ = 0;
    fill(random_.below(120));
  }

  value id_at(std::int64_t serial) const {
    auto mixed = serial * 7919 % 1009;
    return integer_key_ ? value(mixed - 500) : value("k" + std::to_string(mixed));
  }

  void fill(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      auto serial = static_cast<std::int64_t>(i);
      reference_bucket::entry e{random_.record(id_at(serial), serial), 0};
      if (random_.chance(expiring_))
        e.expires_at = random_.chance(50) ? now : now + 1;
      for (auto& b : buckets_)
        b->insert(e.fields, e.expires_at);
      model_.entries.push_back(std::move(e));
      if (random_.chance(15))
        erase(random_.below(model_.entries.size()));
      if (random_.chance(15) && !model_.entries.empty())
        update(random_.below(model_.entries.size()));
    }
  }
  void erase(std::size_t i) {
    for (auto& b : buckets_)
      b->erase(reference_bucket::at(model_.entries[i].fields, "id"));
    model_.entries.erase(model_.entries.begin() + static_cast<std::ptrdiff_t>(i));
  }
  void update(std::size_t i) {
    auto& fields = model_.entries[i].fields;
    auto id = reference_bucket::at(fields, "id");
    object changes;
    for (std::string_view field : {"text", "num", "int", "flag"})
      if (random_.chance(40))
        changes.set(field, random_.chance(20) ? value{} : random_.of(field));
    for (const auto& [name, content] : changes) {
      fields.erase(name);
      if (!content.is_null())
        fields.set(name, content);
    }
    for (auto& b : buckets_)
      b->update(id, changes);
  }

  template <class Fn>
  void for_each_bucket(Fn&& fn) {
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      static const char* const names[] = {"no", "some", "most", "only compound"};
      SCOPED_TRACE(std::string{names[i]} + " indexes");
      fn(*buckets_[i]);
    }
  }

  random_data random_;
  bool integer_key_;
  bool ordered_;
  unsigned expiring_ = 20;
  reference_bucket model_;
  std::vector<std::unique_ptr<test_bucket>> buckets_;
};

TEST_P(query_laws, an_answer_does_not_depend_on_indexes) {
  for (int i = 0; i < 40; ++i) {
    auto q = random_.any_query(model_);
    auto all = model_.matching(q, now);
    auto expected = reference_bucket::cut(all, q);
    SCOPED_TRACE(q.to_string());
    for_each_bucket([&](test_bucket& b) {
      auto why = b.explain(q);
      SCOPED_TRACE(why.to_string());
      auto matching = model_.with_expired(q).size();
      EXPECT_LE(why.estimated_rows, b.read([](const detail::reader& r) { return r.size(); }));
      if (why.from != explanation::source::nothing) {
        EXPECT_GE(why.estimated_rows, matching);
      } else {
        EXPECT_EQ(matching, 0U);
      }
      if (why.covers_count && why.residual.empty()) {
        EXPECT_EQ(why.estimated_rows, matching);
      }
      EXPECT_EQ(b.keys(q, now), ids(expected));
      EXPECT_EQ(b.count(q, now), expected.size());
      auto one = b.read([&](const detail::reader& r) { return detail::find_one(r, q, now); });
      EXPECT_EQ(one.has_value(), !expected.empty());
      auto n = random_.below(6);
      auto tail = b.read([&](const detail::reader& r) { return detail::last(r, q, n, now); });
      auto back = expected; // offset and limit count
      back.erase(back.begin(),
                 back.end() - static_cast<std::ptrdiff_t>(std::min(n, expected.size())));
      EXPECT_EQ(test_bucket::keys_of(*tail), ids(back)) << "last " << n;
    });
  }
}

TEST_P(query_laws, matches_says_of_each_record_whether_a_query_finds_it) {
  constexpr std::int64_t before_all_deadlines = 0;
  const auto all = buckets_[0]->read([&](const detail::reader& r) {
    return detail::all(r, query{}, before_all_deadlines).value();
  });
  ASSERT_EQ(all.size(), model_.entries.size());
  for (int i = 0; i < 30; ++i) {
    const auto q = random_.any_query(model_);
    SCOPED_TRACE(q.to_string());
    std::set<std::string> expected, found;
    for (const auto* o : model_.matching(q, before_all_deadlines))
      expected.insert(test_bucket::text_of(reference_bucket::at(*o, "id")));
    for (const auto& r : all)
      if (matches(q.which(), r).value())
        found.insert(test_bucket::text_of(r.key()));
    EXPECT_EQ(found, expected);
  }
}

TEST_P(query_laws, a_walk_by_pages_gives_each_record_once_and_in_order) {
  for (int i = 0; i < 15; ++i) {
    auto q = random_.any_query(model_).offset(0);
    auto expected = ids(model_.matching(q, now));
    auto size = 1 + random_.below(9);
    SCOPED_TRACE(q.to_string() + " by " + std::to_string(size));
    for_each_bucket([&](test_bucket& b) {
      std::string got;
      std::optional<std::string> cursor;
      do {
        auto p = b.read(
            [&](const detail::reader& r) { return detail::page_of(r, q, size, cursor, now); });
        ASSERT_TRUE(p) << p.error().to_string();
        ASSERT_LE(p->items.size(), size);
        got += (got.empty() ? "" : " ") + test_bucket::keys_of(p->items);
        cursor = p->next;
      } while (cursor);
      EXPECT_EQ(got, expected);
    });
  }
}

TEST_P(query_laws, aggregates_do_not_depend_on_indexes) {
  for (int i = 0; i < 15; ++i) {
    auto q = random_.any_query(model_);
    auto chosen = reference_bucket::cut(model_.matching(q, now), q);
    SCOPED_TRACE(q.to_string());
    for (std::string field : {"int", "num", "text", "day"}) {
      value low, high;
      for (const auto* o : chosen) {
        auto x = reference_bucket::at(*o, field);
        if (!x.is_null() && (low.is_null() || x < low))
          low = x;
        if (!x.is_null() && (high.is_null() || x > high))
          high = x;
      }
      std::optional<value> sum, avg;
      for_each_bucket([&](test_bucket& b) {
        b.read([&](const detail::reader& r) {
          EXPECT_EQ(detail::min(r, field, q, now).value(), low) << field;
          EXPECT_EQ(detail::max(r, field, q, now).value(), high) << field;
          if (field == "text" || field == "day")
            return;
          auto s = detail::sum(r, field, q, now).value();
          auto a = detail::avg(r, field, q, now).value();
          EXPECT_EQ(a.is_null(), low.is_null());
          // Exactly the same with and without indexes, kind included.
          EXPECT_TRUE(!sum || (*sum == s && sum->kind() == s.kind())) << field;
          EXPECT_TRUE(!avg || *avg == a) << field;
          sum = s;
          avg = a;
        });
      });
    }
  }
}

/// Groups in the order of their first records, by looking at every group for every record.
groups reference_groups(const std::vector<const object*>& records,
                        const std::vector<std::string>& keys) {
  groups out;
  for (const auto* o : records) {
    std::vector<value> key;
    for (const auto& name : keys)
      key.push_back(reference_bucket::at(*o, name));
    auto same = std::find_if(out.begin(), out.end(), [&](const group& g) { return g.key == key; });
    if (same == out.end())
      same = out.insert(out.end(), {key, {0, 0, nullptr}});
    auto x = reference_bucket::at(*o, "int");
    same->results[0] = value{same->results[0].as_int() + 1};
    same->results[1] = value{same->results[1].as_int() + (x.is_null() ? 0 : 1)};
    if (same->results[2].is_null() || (!x.is_null() && x > same->results[2]))
      same->results[2] = x;
  }
  return out;
}

TEST_P(query_laws, groups_do_not_depend_on_indexes) {
  static const std::vector<std::string> all[] = {{"int"},  {"text"},  {"flag", "day"},     {"num"},
                                                 {"list"}, {"thing"}, {"thing.a", "text"}, {"id"}};
  for (const auto& keys : all) {
    query q{random_.tree(model_, 2)};
    auto expected = reference_groups(model_.matching(q, now), keys);
    std::vector<field_name> names(keys.begin(), keys.end());
    SCOPED_TRACE(q.to_string() + " by " + keys[0]);
    for_each_bucket([&](test_bucket& b) {
      auto got = b.read([&](const detail::reader& r) {
        return detail::group_by(
            r, q, names,
            std::vector{aggregate::count(), aggregate::count("int"), aggregate::max("int")}, now);
      });
      ASSERT_TRUE(got) << got.error().to_string();
      EXPECT_EQ(*got, expected);
    });
  }
}

// The law would say nothing about ways that random queries never take.
TEST(random_queries, take_every_way_there_is) {
  random_data random{1};
  reference_bucket model{false};
  auto definition = random_data::fields(false, false);
  for (std::string field : {"text", "num", "int", "flag", "day"})
    definition.index(field);
  definition.index({"flag", "int"}).index({"day", "flag", "text"});
  definition.inverted_index("text").inverted_index("list");
  test_bucket bucket{definition};
  for (std::int64_t i = 0; i < 60; ++i) {
    model.entries.push_back({random.record("k" + std::to_string(i), i), 0});
    bucket.insert(model.entries.back().fields);
  }
  std::set<std::string> seen, compound;
  for (int i = 0; i < 12'000; ++i) {
    auto why = bucket.explain(random.any_query(model));
    auto order = ", " + std::string{to_string(why.order)};
    seen.insert(std::string{to_string(why.from)} + order);
    if (why.indexes.size() == 1)
      compound.insert(why.indexes[0] + order);
  }
  EXPECT_THAT(seen, ::testing::IsSupersetOf(
                        {"scan, stored order", "scan, sorted", "index, stored order",
                         "index, index order", "index, sorted", "union, stored order",
                         "union, sorted", "primary key, stored order", "primary key, sorted",
                         "unique index, stored order", "nothing, stored order",
                         "inverted index, stored order", "inverted index, sorted"}));
  EXPECT_THAT(compound,
              ::testing::IsSupersetOf(
                  {"(flag, int), stored order", "(flag, int), sorted", "(flag, int), index order",
                   "(day, flag, text), stored order", "(day, flag, text), sorted"}));
}

template <class Fn>
void each_leaf(const filter& in, Fn&& fn) {
  if (in.is_leaf())
    fn(in);
  for (const auto& term : in.terms())
    each_leaf(term, fn);
}

// Nor about negations, if indexes answered few of those.
TEST(random_queries, read_what_is_not_so_through_indexes) {
  random_data random{2};
  reference_bucket model{false};
  auto definition = random_data::fields(false, false);
  for (std::string field : {"text", "num", "int", "flag", "day"})
    definition.index(field);
  definition.index({"flag", "int"});
  test_bucket bucket{definition};
  for (std::int64_t i = 0; i < 60; ++i) {
    model.entries.push_back({random.record("k" + std::to_string(i), i), 0});
    bucket.insert(model.entries.back().fields);
  }
  std::map<std::string, int> read, counted;
  auto name_of = [](const filter& leaf) {
    return (leaf.negated() ? "not " : "") + std::string{to_string(leaf.op())};
  };
  for (int i = 0; i < 20'000; ++i) {
    auto q = random.any_query(model);
    auto why = bucket.explain(q);
    if (why.from == explanation::source::index || why.from == explanation::source::index_union)
      each_leaf(q.which(), [&](const filter& leaf) {
        if (why.condition.find(leaf.to_string()) != std::string::npos)
          ++read[name_of(leaf)];
      });
    if (q.which().is_leaf() && why.covers_count)
      ++counted[name_of(q.which())];
  }
  for (auto* name :
       {"!=", "not ==", "not !=", "not <", "not <=", "not >", "not >=", "not in", "not between"}) {
    EXPECT_GT(read[name], 20) << name;
    EXPECT_GT(counted[name], 10) << name;
  }
  EXPECT_GT(read["not starts_with"], 2);
  EXPECT_GT(counted["not starts_with"], 10);
  EXPECT_EQ(read["not contains"] + read["not ends_with"], 0);
}

INSTANTIATE_TEST_SUITE_P(seeds, query_laws, ::testing::Range(1U, 41U));

} // namespace
} // namespace holdfast::testing
