// Looks at single members in a visit.
#include "typed_members.hpp"

#include <string>
#include <string_view>
#include <type_traits>

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;

struct a_typed_view : typed_members {
  void SetUp() override {
    auto other = full();
    other.id = "other";
    other.away.reset();
    other.tone.reset();
    ASSERT_TRUE(all.insert(full()).get());
    ASSERT_TRUE(all.insert(other).get());
  }
};

TEST_F(a_typed_view, reads_members_of_every_type) {
  const auto found = all.visit("full", [](const typed_view<everything>& x) {
    static_assert(std::is_same_v<decltype(x.get<&everything::id>()), std::string_view>);
    EXPECT_EQ(x.get<&everything::id>(), "full");
    EXPECT_EQ(x.get<&everything::role>(), part::admin);
    EXPECT_EQ(x.get<&everything::tone>(), shade::dark);
    EXPECT_EQ(x.get<&everything::home>(), full().home);
    EXPECT_EQ(x.get<&everything::tags>(), full().tags);
    EXPECT_EQ(x.get<&everything::joined>(), full().joined);
    EXPECT_EQ(x.get<&everything::spent>(), -90min);
    EXPECT_EQ(x.get<&everything::share>(), full().share);
    EXPECT_EQ(x.get<&everything::any>(), full().any);
  });
  ASSERT_TRUE(found) << found.error().to_string();
  EXPECT_TRUE(*found);
  EXPECT_FALSE(*all.visit("nobody", [](const typed_view<everything>&) { FAIL(); }));
}

TEST_F(a_typed_view, reads_members_of_structs_in_it) {
  std::string seen;
  const auto found = all.everything().visit([&](const typed_view<everything>& x) {
    static_assert(std::is_same_v<decltype(x.get<&everything::away, &town::city>()),
                                 std::optional<std::string_view>>);
    static_assert(
        std::is_same_v<decltype(x.get<&everything::home, &town::zip>()), std::optional<int>>);
    seen.append(x.get<&everything::home, &town::city>());
    seen.append(x.get<&everything::away, &town::city>().value_or("-")) += " ";
    EXPECT_EQ((x.get<&everything::home, &town::zip>()), 60200);
    EXPECT_EQ(x.get<&everything::tone>().has_value(), x.key() == "full");
  });
  EXPECT_EQ(*found, 2u);
  EXPECT_EQ(seen, "Brnox Brno- ");
}

TEST_F(a_typed_view, shows_the_record_and_keeps_the_struct) {
  std::optional<everything> kept;
  ASSERT_TRUE(all.visit("full", [&](const typed_view<everything>& x) {
    EXPECT_EQ(x.key(), "full");
    EXPECT_EQ(x.version(), 1u);
    EXPECT_EQ(x.created_at(), x.updated_at());
    EXPECT_EQ(x.plain()["role"], "admin");
    kept = x.keep().value();
  }));
  EXPECT_EQ(kept, full());
}

TEST_F(a_typed_view, ends_a_visit_that_has_seen_enough) {
  int seen = 0;
  EXPECT_EQ(*all.everything().visit([&](const typed_view<everything>& x) {
    ++seen;
    return x.get<&everything::id>() != "full";
  }),
            1u);
  EXPECT_EQ(seen, 1);
}

/// A bucket of the struct's name that was defined otherwise.
struct a_view_of_another_definition : ::testing::Test {
  store db = std::move(*store::start());
  bucket<> plain =
      db.define(schema("tickets").key("id", integer()).field("spent", string())).value();
  bucket<ticket> tickets{plain};

  void SetUp() override {
    for (int i = 0; i < 3; ++i)
      ASSERT_TRUE(plain.insert({{"id", i}, {"spent", i == 1 ? value{"long"} : value{}}}).get());
  }
};

TEST_F(a_view_of_another_definition, tells_what_does_not_fit_and_ends) {
  int seen = 0;
  const auto one = tickets.visit(1, [&](const typed_view<ticket>& x) {
    EXPECT_EQ(x.get<&ticket::id>(), 1);
    (void)x.get<&ticket::spent>();
    ++seen;
  });
  ASSERT_FALSE(one);
  EXPECT_EQ(one.error(), errc::invalid);
  EXPECT_EQ(one.error().message(), "tickets.spent: \"long\" does not fit the member");
  EXPECT_EQ(one.error().where().key, "1");
  const auto each = tickets.everything().visit([&](const typed_view<ticket>& x) {
    (void)x.get<&ticket::spent>();
    ++seen;
  });
  EXPECT_EQ(each.error(), errc::invalid);
  EXPECT_EQ(seen, 1) << "the first one only";
}

TEST_F(a_view_of_another_definition, minds_only_the_members_that_are_read) {
  std::int64_t sum = 0;
  EXPECT_EQ(*tickets.everything().visit(
                [&](const typed_view<ticket>& x) { sum += x.get<&ticket::id>(); }),
            3u);
  EXPECT_EQ(sum, 3);
}

TEST_F(a_view_of_another_definition, is_read_by_a_transaction_that_gives_up_on_it) {
  int attempts = 0;
  const auto done = db.transact(
      [&](transaction& tx) -> result<void> {
        const auto look = [](const typed_view<ticket>& x) { (void)x.get<&ticket::spent>(); };
        const bool fits = tx.in(tickets).everything().visit(look).has_value();
        EXPECT_EQ(fits, attempts > 0);
        if (++attempts == 1) {
          EXPECT_TRUE(plain.update(1, {{"spent", nullptr}}).get());
        }
        return tx.in(plain).insert({{"id", 10 + attempts}}).get().map([](auto&&) {});
      },
      {.retries = 3});
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_EQ(attempts, 2) << "what it could not read has changed";
}

} // namespace
} // namespace holdfast::testing
