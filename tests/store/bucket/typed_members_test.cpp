#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <random>

namespace holdfast_tests {

enum class part : std::uint8_t { guest, member, admin = 9 };
enum class shade { light = 100, dark = 200 };

struct town {
  std::string street, city;
  std::optional<int> zip;
  std::vector<part> parts;
  friend bool operator==(const town&, const town&) = default;
};

struct everything {
  std::string id;
  part role = part::guest;
  std::optional<shade> tone{};
  town home{};
  std::optional<town> away{};
  std::vector<std::string> tags{};
  std::vector<std::vector<std::int8_t>> grid{};
  std::vector<std::optional<town>> stays{};
  std::vector<bool> flags{};
  std::chrono::sys_seconds joined{};
  std::optional<std::chrono::system_clock::time_point> seen{};
  std::chrono::sys_days born{};
  std::chrono::minutes spent{};
  std::optional<std::chrono::duration<float>> lap{};
  std::uint64_t hits = 0;
  std::int64_t balance = 0;
  float share = 0;
  holdfast::object any{};
  holdfast::array list{};
  friend bool operator==(const everything&, const everything&) = default;
};

struct ticket {
  std::int64_t id = 0;
  std::optional<part> role{};
  std::optional<std::chrono::minutes> spent{};
  std::vector<std::string> tags{};
  friend bool operator==(const ticket&, const ticket&) = default;
};

struct note {
  std::string id;
  std::optional<std::int64_t> about{};
  std::optional<std::string> answers{};
  std::vector<std::string> words{};
};

struct fleeting {
  std::int64_t id = 0;
};

} // namespace holdfast_tests

namespace holdfast {

template <>
inline constexpr auto enum_names<holdfast_tests::shade> =
    std::to_array<enum_name<holdfast_tests::shade>>({{holdfast_tests::shade::light, "day"},
                                                     {holdfast_tests::shade::dark, "night"}});

template <>
inline constexpr auto mapping<holdfast_tests::town> = map_object<holdfast_tests::town>(
    field<&holdfast_tests::town::street>(), field<&holdfast_tests::town::city>(length(1, 50)),
    field<&holdfast_tests::town::zip>(minimum(10000)), field<&holdfast_tests::town::parts>());

template <>
inline constexpr auto mapping<holdfast_tests::everything> = map_to<holdfast_tests::everything>(
    "everything", key<&holdfast_tests::everything::id>(),
    field<&holdfast_tests::everything::role>(indexed), field<&holdfast_tests::everything::tone>(),
    field<&holdfast_tests::everything::home>(), field<&holdfast_tests::everything::away>(),
    field<&holdfast_tests::everything::tags>(), field<&holdfast_tests::everything::grid>(),
    field<&holdfast_tests::everything::stays>(), field<&holdfast_tests::everything::flags>(),
    field<&holdfast_tests::everything::joined>(indexed), field<&holdfast_tests::everything::seen>(),
    field<&holdfast_tests::everything::born>(), field<&holdfast_tests::everything::spent>(indexed),
    field<&holdfast_tests::everything::lap>(), field<&holdfast_tests::everything::hits>(),
    field<&holdfast_tests::everything::balance>(), field<&holdfast_tests::everything::share>(),
    field<&holdfast_tests::everything::any>(), field<&holdfast_tests::everything::list>());

template <>
inline constexpr auto mapping<holdfast_tests::ticket> = map_to<holdfast_tests::ticket>(
    "tickets", key<&holdfast_tests::ticket::id>(autoincrement),
    field<&holdfast_tests::ticket::role>(one_of(holdfast_tests::part::guest,
                                                holdfast_tests::part::member),
                                         otherwise(holdfast_tests::part::member)),
    field<&holdfast_tests::ticket::spent>(maximum(std::chrono::hours{2}),
                                          otherwise(std::chrono::hours{1})),
    field<&holdfast_tests::ticket::tags>(otherwise([] {
      return std::vector<std::string>{"new"};
    })));

template <>
inline constexpr auto mapping<holdfast_tests::note> = map_to<holdfast_tests::note>(
    "notes", ordered(), key<&holdfast_tests::note::id>(),
    field<&holdfast_tests::note::about>(references<holdfast_tests::ticket>(on_delete::cascade)),
    field<&holdfast_tests::note::answers>(references("notes", on_delete::set_null)),
    field<&holdfast_tests::note::words>(items(length(1, 5))), closed(), persistent(false));

template <>
inline constexpr auto mapping<holdfast_tests::fleeting> = map_to<holdfast_tests::fleeting>(
    "fleeting", key<&holdfast_tests::fleeting::id>(), expire_after(std::chrono::hours{24}),
    capacity(1000, evict::least_recently_used));

namespace {

using namespace std::chrono_literals;
using holdfast_tests::everything;
using holdfast_tests::note;
using holdfast_tests::part;
using holdfast_tests::shade;
using holdfast_tests::ticket;
using holdfast_tests::town;
using std::chrono::system_clock;

everything full() {
  return {.id = "full",
          .role = part::admin,
          .tone = shade::dark,
          .home = {"Long St 1", "Brno", 60200, {part::guest, part::admin}},
          .away = town{"", "x", {}, {}},
          .tags = {"a", "", "ž"},
          .grid = {{1, -128, 127}, {}, {0}},
          .stays = {town{"s", "c", 10000, {}}, std::nullopt},
          .flags = {true, false, true},
          .joined = std::chrono::sys_seconds{1'700'000'000s},
          .seen = system_clock::time_point{123'456ms},
          .born = std::chrono::sys_days{std::chrono::year{1969} / 7 / 20},
          .spent = -90min,
          .lap = std::chrono::duration<float>{1.5F},
          .hits = INT64_MAX,
          .balance = INT64_MIN,
          .share = std::numeric_limits<float>::max(),
          .any = object{{"k", array{1, "two", nullptr}}},
          .list = array{true, 2.5}};
}

struct typed_members : ::testing::Test {
  store db = std::move(*store::start());
  bucket<everything> all = std::move(*db.define<everything>());

  /// The issues of a read of a record that was written past the type.
  std::vector<issue> misread(const object& changes) {
    auto plain = db.define(schema("loose").key("id", string())).value();
    auto fields = to_object(full());
    for (auto& [name, content] : changes)
      fields.set(name, content);
    auto stored = plain.insert(fields).get();
    auto got = from_record<everything>(stored.value());
    if (got)
      return {};
    EXPECT_EQ(got.error().code(), errc::invalid);
    EXPECT_EQ(got.error().where().key, "\"full\"");
    return got.error().issues();
  }
};

std::vector<std::string> messages(const std::vector<issue>& issues) {
  std::vector<std::string> out;
  for (auto& each : issues)
    out.push_back(each.message);
  return out;
}

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

TEST_F(typed_members, that_no_record_can_hold_are_refused) {
  auto refused = [&](auto change) {
    auto item = full();
    change(item);
    auto got = all.insert(item).get();
    return got ? std::vector<std::string>{} : messages(got.error().issues());
  };
  using ::testing::ElementsAre;
  using ::testing::HasSubstr;
  EXPECT_THAT(refused([](auto& x) { x.hits = ~std::uint64_t{0}; }),
              ElementsAre(HasSubstr("everything.hits: ")));
  EXPECT_THAT(refused([](auto& x) { x.role = static_cast<part>(77); }),
              ElementsAre(HasSubstr("everything.role: ")));
  EXPECT_THAT(refused([](auto& x) { x.joined = std::chrono::sys_seconds::max(); }),
              ElementsAre(HasSubstr("everything.joined: ")));
  EXPECT_THAT(refused([](auto& x) { x.born = std::chrono::sys_days::min(); }),
              ElementsAre(HasSubstr("everything.born: ")));
  EXPECT_THAT(refused([](auto& x) { x.lap = std::chrono::duration<float>{NAN}; }),
              ElementsAre(HasSubstr("everything.lap: ")));
  EXPECT_EQ(*all.count().get(), 0u);
}

TEST_F(typed_members, say_with_their_path_what_does_not_fit) {
  EXPECT_THAT(
      messages(misread({{"hits", -1},
                        {"share", 1e300},
                        {"role", "boss"},
                        {"tone", 3},
                        {"joined", 1500},
                        {"seen", INT64_MAX},
                        {"grid", array{array{1}, array{1, 128}}},
                        {"tags", array{"a", nullptr}},
                        {"home", object{{"street", "s"}, {"city", 5}}},
                        {"stays", array{object{{"street", "s"}}}},
                        {"any", array{}},
                        {"list", object{}}})),
      ::testing::ElementsAre(
          "loose.role: \"boss\" is none of guest, member, admin",
          "loose.tone: 3 is none of day, night", "loose.home.city: 5 does not fit the member",
          "loose.home.parts: null does not fit the member",
          "loose.tags[1]: null does not fit the member",
          "loose.grid[1][1]: 128 does not fit the member",
          "loose.stays[0].city: null does not fit the member",
          "loose.stays[0].parts: null does not fit the member",
          "loose.joined: 1500 does not fit the member",
          "loose.seen: 9223372036854775807 does not fit the member",
          "loose.hits: -1 does not fit the member", "loose.share: 1e+300 does not fit the member",
          "loose.any: [] does not fit the member", "loose.list: {} does not fit the member"));
}

TEST_F(typed_members, take_what_fits_from_a_looser_bucket) {
  EXPECT_TRUE(misread({{"seen", nullptr}, {"share", 3}, {"hits", 2.0}, {"surplus", 1}}).empty());
}

TEST_F(typed_members, are_set_one_by_one) {
  ASSERT_TRUE(all.insert(full()).get());
  auto changed =
      all.update("full", set<&everything::role>(part::member), set<&everything::tone>(std::nullopt),
                 set<&everything::tags>({"z"}), set<&everything::home>({"s", "c", {}, {}}),
                 set<&everything::spent>(2h), set<&everything::any>({}))
          .get();
  ASSERT_TRUE(changed) << changed.error().to_string();
  auto expected = full();
  expected.role = part::member;
  expected.tone = {};
  expected.tags = {"z"};
  expected.home = {"s", "c", {}, {}};
  expected.spent = 120min;
  expected.any = {};
  EXPECT_EQ(*changed, expected);
}

TEST_F(typed_members, are_found_by_operands_of_their_type) {
  for (int i = 0; i < 6; ++i) {
    auto item = full();
    item.id = std::to_string(i);
    item.role = i % 2 ? part::member : part::guest;
    item.spent = std::chrono::minutes{i};
    item.joined = std::chrono::sys_seconds{std::chrono::seconds{i}};
    ASSERT_TRUE(all.insert(item).get());
  }
  auto n = [&](filter which) { return *all.count(std::move(which)).get(); };
  EXPECT_EQ(n(f<&everything::role> == part::guest), 3u);
  EXPECT_EQ(n(f<&everything::role>.in(part::guest, part::member)), 6u);
  EXPECT_EQ(n(f<&everything::tone> != shade::light), 6u);
  EXPECT_EQ(n(f<&everything::spent> < 90s), 2u) << "0 and 1 minutes";
  EXPECT_EQ(n(f<&everything::spent> <= 1h), 6u);
  EXPECT_EQ(n(f<&everything::spent>.between(120s, 180s)), 2u);
  EXPECT_EQ(n(f<&everything::joined> > std::chrono::sys_seconds{2s}), 3u);
  EXPECT_EQ(n(f<&everything::joined> == system_clock::time_point{2s}), 1u);
  EXPECT_EQ(n(f<&everything::born> == std::chrono::sys_days{}), 0u);
}

TEST_F(typed_members, are_found_inside_of_structs_and_vectors) {
  auto other = full();
  other.id = "other";
  other.home.city = "Praha";
  other.away.reset();
  other.tags = {"b"};
  ASSERT_TRUE(all.insert(full()).get());
  ASSERT_TRUE(all.insert(other).get());
  auto found = [&](filter which) {
    std::string ids;
    auto list = all.where(std::move(which)).all().get().value();
    for (auto& each : list)
      ids += each.id + " ";
    return ids;
  };
  EXPECT_EQ(found(f<&everything::home, &town::city> == "Brno"), "full ");
  EXPECT_EQ(found(f<&everything::home, &town::zip> > 60000), "full other ");
  EXPECT_EQ(found(f<&everything::away, &town::city> == nullptr), "other ");
  EXPECT_EQ(found(f<&everything::home, &town::parts>.contains(part::admin)), "full other ");
  EXPECT_EQ(found(f<&everything::home, &town::parts>.contains(part::member)), "");
  EXPECT_EQ(found(f<&everything::tags>.contains("b")), "other ");
}

TEST_F(typed_members, have_typed_aggregates) {
  for (int i = 1; i <= 3; ++i) {
    auto item = full();
    item.id = std::to_string(i);
    item.spent = std::chrono::minutes{i};
    item.joined = std::chrono::sys_seconds{std::chrono::seconds{i}};
    ASSERT_TRUE(all.insert(item).get());
  }
  auto some = all.everything();
  EXPECT_EQ(*some.min(f<&everything::joined>).get(), std::chrono::sys_seconds{1s});
  EXPECT_EQ(*some.max(f<&everything::spent>).get(), 3min);
  EXPECT_EQ(*some.avg(f<&everything::spent>).get(), 2.0);
  EXPECT_EQ(some.sum(f<&everything::spent>).get().value(), 6);
  auto none = all.where(f<&everything::id> == "nobody");
  EXPECT_EQ(*none.min(f<&everything::joined>).get(), std::nullopt);
  EXPECT_EQ(*none.avg(f<&everything::spent>).get(), std::nullopt);
}

TEST_F(typed_members, have_typed_rules_and_defaults) {
  auto tickets = std::move(*db.define<ticket>());
  EXPECT_EQ(
      tickets.plain().compiled().definition(),
      schema("tickets")
          .key("id", integer().generated(autoincrement))
          .field("role", string().one_of("guest", "member").otherwise("member"))
          .field("spent", integer().max(120).otherwise(60))
          .field("tags", array_of().items(string()).required().otherwise([] { return value{}; })));
  auto first = tickets.insert({}).get();
  ASSERT_TRUE(first) << first.error().to_string();
  EXPECT_EQ(*first, (ticket{1, part::member, 60min, {}})) << "an empty vector is a value";
  auto plain = tickets.plain().insert(object{}).get();
  EXPECT_EQ(*from_record<ticket>(*plain), (ticket{2, part::member, 60min, {"new"}}));
  EXPECT_EQ(
      tickets.insert({.id = 0, .role = part::admin, .spent = 3h}).get().error().issues().size(),
      2u);
}

TEST_F(typed_members, say_what_is_inside_of_them) {
  auto text = [] { return string().required(); };
  auto parts = string().one_of("guest", "member", "admin");
  EXPECT_EQ(detail::spec_of<town>().options(),
            object_of()
                .property("street", text())
                .property("city", text().length(1, 50))
                .property("zip", integer().min(INT32_MIN).max(INT32_MAX).min(10000))
                .property("parts", array_of().required().items(parts))
                .options());
  EXPECT_EQ(detail::spec_of<std::vector<std::vector<bool>>>().options(),
            array_of().items(array_of().items(boolean())).options());
  auto item = full();
  item.home.city = "";
  item.stays[0]->zip = 1;
  item.home.parts.push_back(static_cast<part>(50));
  auto got = all.insert(item).get();
  ASSERT_FALSE(got);
  std::vector<std::string> where;
  for (auto& each : got.error().issues())
    where.push_back(each.field);
  EXPECT_THAT(where, ::testing::UnorderedElementsAre("home.city", "home.parts[2]", "stays[0].zip"));
}

TEST_F(typed_members, carry_the_rules_of_their_bucket) {
  EXPECT_EQ(schema_of<note>(),
            schema("notes")
                .key("id", string().required())
                .field("about", integer().references("tickets", on_delete::cascade))
                .field("answers", string().references("notes", on_delete::set_null))
                .field("words", array_of().required().items(string().length(1, 5)))
                .ordered()
                .closed()
                .persistent(false));
  auto tickets = std::move(*db.define<ticket>());
  auto notes = std::move(*db.define<note>());
  ASSERT_TRUE(tickets.insert({.id = 5}).get());
  ASSERT_TRUE(notes.insert({"b", 5, {}, {}}).get());
  ASSERT_TRUE(notes.insert({.id = "a", .answers = "b"}).get());
  EXPECT_FALSE(notes.insert({"c", 6, {}, {}}).get()) << "there is no ticket 6";
  EXPECT_FALSE(notes.insert({"c", 5, {}, {"too long"}}).get());
  EXPECT_EQ(notes.first(1).get()->at(0).id, "a") << "in key order";
  ASSERT_TRUE(tickets.erase(5).get());
  auto left = notes.all().get().value();
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].answers, std::nullopt);
}

TEST_F(typed_members, may_say_how_long_and_how_many) {
  auto s = schema_of<holdfast_tests::fleeting>();
  EXPECT_EQ(s.expires_after(), std::chrono::hours{24});
  EXPECT_EQ(s.max_records(), 1000U);
  EXPECT_EQ(s.eviction(), evict::least_recently_used);
}

TEST_F(typed_members, go_into_the_bucket_many_at_once) {
  auto tickets = std::move(*db.define<ticket>());
  auto three = tickets.insert_many({{.id = 0}, {.id = 7}, {.id = 0, .role = part::guest}}).get();
  ASSERT_TRUE(three) << three.error().to_string();
  EXPECT_THAT(*three, ::testing::ElementsAre(ticket{1, part::member, 60min, {}},
                                             ticket{7, part::member, 60min, {}},
                                             ticket{8, part::guest, 60min, {}}));
  EXPECT_EQ(tickets.insert_many({{.id = 0}, {.id = 8}}).get().error().code(), errc::duplicate);
  EXPECT_EQ(*tickets.count().get(), 3u);
}

TEST_F(typed_members, have_keys_of_their_type) {
  auto tickets = std::move(*db.define<ticket>());
  ASSERT_TRUE(tickets.insert({.id = 5}).get());
  EXPECT_TRUE(tickets.contains(5));
  EXPECT_FALSE(tickets.contains(6));
  std::int64_t seen = 0;
  EXPECT_TRUE(*tickets.visit(5, [&](const record_view& r) { seen = r["spent"].as_int(); }));
  EXPECT_EQ(seen, 60);
  EXPECT_EQ(tickets.erase(5).get()->id, 5);
  EXPECT_EQ(tickets.get(5).get().error().code(), errc::not_found);
}

} // namespace
} // namespace holdfast
