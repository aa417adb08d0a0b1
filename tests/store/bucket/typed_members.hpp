#pragma once

#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

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
    field<&holdfast_tests::note::about>(
        holdfast::references<holdfast_tests::ticket>(on_delete::cascade)),
    field<&holdfast_tests::note::answers>(holdfast::references("notes", on_delete::set_null)),
    field<&holdfast_tests::note::words>(items(length(1, 5))), closed(), persistent(false));

template <>
inline constexpr auto mapping<holdfast_tests::fleeting> = map_to<holdfast_tests::fleeting>(
    "fleeting", key<&holdfast_tests::fleeting::id>(), expire_after(std::chrono::hours{24}),
    capacity(1000, evict::least_recently_used));

namespace testing {

using holdfast_tests::everything;
using holdfast_tests::note;
using holdfast_tests::part;
using holdfast_tests::shade;
using holdfast_tests::ticket;
using holdfast_tests::town;
using std::chrono::system_clock;

inline everything full() {
  return {.id = "full",
          .role = part::admin,
          .tone = shade::dark,
          .home = {"Long St 1", "Brno", 60200, {part::guest, part::admin}},
          .away = town{"", "x", {}, {}},
          .tags = {"a", "", "ž"},
          .grid = {{1, -128, 127}, {}, {0}},
          .stays = {town{"s", "c", 10000, {}}, std::nullopt},
          .flags = {true, false, true},
          .joined = std::chrono::sys_seconds{std::chrono::seconds{1'700'000'000}},
          .seen = system_clock::time_point{std::chrono::milliseconds{123'456}},
          .born = std::chrono::sys_days{std::chrono::year{1969} / 7 / 20},
          .spent = std::chrono::minutes{-90},
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

inline std::vector<std::string> messages(const std::vector<issue>& issues) {
  std::vector<std::string> out;
  for (auto& each : issues)
    out.push_back(each.message);
  return out;
}

} // namespace testing
} // namespace holdfast
