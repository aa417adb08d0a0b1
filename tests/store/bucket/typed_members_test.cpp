// What members become in a record, and back.
#include "typed_members.hpp"

#include <cmath>
#include <random>
#include <utility>

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;

TEST_F(typed_members, of_every_type_come_back_as_they_were) {
  auto stored = all.insert(full()).get();
  ASSERT_TRUE(stored) << stored.error().to_string();
  EXPECT_EQ(*stored, full());
  EXPECT_EQ(*all.get("full").get(), full());
  everything bare{.id = "bare", .home = {"", "c", {}, {}}};
  EXPECT_EQ(*all.insert(bare).get(), bare);
  EXPECT_EQ(all.all().get()->size(), 2u);
}

/// Structs of all shapes and extremes, from a seed.
struct maker {
  std::mt19937_64 random;

  std::size_t below(std::size_t n) { return random() % n; }
  bool coin() { return below(2) == 0; }
  template <class N>
  N number() {
    constexpr std::array<N, 5> some{N{0}, N{1}, std::numeric_limits<N>::min(),
                                    std::numeric_limits<N>::max(), N{42}};
    return below(4) ? some[below(some.size())] : static_cast<N>(random());
  }
  std::string text() {
    constexpr std::array<const char*, 4> some{"", "a", "příliš žluťoučký", "0123456789 0123456789"};
    return some[below(some.size())];
  }
  template <class F>
  auto maybe(F make) -> std::optional<decltype(make())> {
    return coin() ? std::optional{make()} : std::nullopt;
  }
  template <class F>
  auto list(F make) {
    std::vector<decltype(make())> out;
    for (auto n = below(4); n > 0; --n)
      out.push_back(make());
    return out;
  }
  part any_part() { return std::array{part::guest, part::member, part::admin}[below(3)]; }
  town any_town() {
    return {text(), "c" + text(), maybe([&] { return 10000 + static_cast<int>(below(90000)); }),
            list([&] { return any_part(); })};
  }
  std::chrono::milliseconds time() {
    return std::chrono::milliseconds{static_cast<std::int64_t>(below(1ull << 42)) - (1ll << 41)};
  }
  everything make(std::string id) {
    everything out{.id = std::move(id), .home = any_town()};
    out.role = any_part();
    out.tone = maybe([&] { return coin() ? shade::light : shade::dark; });
    out.away = maybe([&] { return any_town(); });
    out.tags = list([&] { return text(); });
    out.grid = list([&] { return list([&] { return number<std::int8_t>(); }); });
    out.stays = list([&] { return maybe([&] { return any_town(); }); });
    out.flags = list([&] { return coin(); });
    out.joined = std::chrono::sys_seconds{std::chrono::floor<std::chrono::seconds>(time())};
    out.seen = maybe([&] { return system_clock::time_point{time()}; });
    out.born = std::chrono::sys_days{std::chrono::floor<std::chrono::days>(time())};
    out.spent = std::chrono::minutes{number<std::int64_t>()};
    out.lap = maybe([&] { return std::chrono::duration<float>{number<float>()}; });
    out.hits = number<std::uint64_t>() / 2;
    out.balance = number<std::int64_t>();
    out.share = number<float>();
    out.list = {text(), number<std::int64_t>(), array{nullptr, coin()}};
    return out;
  }
};

TEST_F(typed_members, of_any_content_come_back_as_they_were) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    auto item = maker{std::mt19937_64{seed}}.make(std::to_string(seed));
    auto stored = all.insert(item).get();
    ASSERT_TRUE(stored) << "seed " << seed << ": " << stored.error().to_string();
    ASSERT_EQ(*stored, item) << "seed " << seed;
    ASSERT_EQ(from_record<everything>(*all.plain().upsert(to_object(item)).get()).value(), item)
        << "seed " << seed;
  }
}

TEST_F(typed_members, are_stored_in_the_documented_form) {
  auto rec = *all.plain().insert(to_draft(all.plain().compiled(), full())).get();
  EXPECT_EQ(rec["role"], "admin");
  EXPECT_EQ(rec["tone"], "night");
  EXPECT_EQ(rec["joined"], 1'700'000'000'000);
  EXPECT_EQ(rec["seen"], 123'456);
  EXPECT_EQ(rec["spent"], -90);
  EXPECT_EQ(rec["lap"], 1.5);
  EXPECT_EQ(rec["home"], value(object{{"street", "Long St 1"},
                                      {"city", "Brno"},
                                      {"zip", 60200},
                                      {"parts", array{"guest", "admin"}}}));
  EXPECT_EQ(rec["away"], value(object{{"street", ""}, {"city", "x"}, {"parts", array()}}))
      << "an empty optional of a struct is left out";
  EXPECT_EQ(rec["grid"].to_string(), "[[1, -128, 127], [], [0]]");
  EXPECT_EQ(rec.to_object(), to_object(full()));
}

TEST_F(typed_members, keep_times_in_whole_milliseconds_rounded_down) {
  auto item = full();
  item.seen = system_clock::time_point{-1500us};
  EXPECT_EQ(all.insert(item).get()->seen, system_clock::time_point{-2ms});
}

} // namespace
} // namespace holdfast::testing
