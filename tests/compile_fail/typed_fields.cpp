// One line per case: wrong if WRONG is its number, right otherwise. See CMakeLists.txt.
#include <holdfast/store/mapping.hpp>
#include <holdfast/store/query.hpp>

#include <cstdint>
#include <optional>
#include <string>

struct user {
  std::string id;
  std::string name;
  std::optional<std::int64_t> age;
  bool active = false;
  double balance = 0;
};

struct other {
  std::string id;
};

template <>
inline constexpr auto holdfast::mapping<user> = holdfast::map_to<user>(
    "users", key<&user::id>(uuid), field<&user::name>(length(1, 200)), field<&user::age>(indexed),
    field<&user::active>(), field<&user::balance>());

using holdfast::f;

#if WRONG == 1 // a number compared with a text
auto a = f<&user::age> == "18";
#else
auto a = f<&user::age> == 18;
#endif

#if WRONG == 2 // a text compared with a number
auto b = f<&user::name> >= 5;
#else
auto b = f<&user::name> >= "5";
#endif

#if WRONG == 3 // a flag compared with a number
auto c = f<&user::active> == 1;
#else
auto c = f<&user::active> == true;
#endif

#if WRONG == 4 // a number compared with a flag
auto d = f<&user::balance> < true;
#else
auto d = f<&user::balance> < 1;
#endif

#if WRONG == 5 // null in a member that is not optional
auto e = f<&user::name> == nullptr;
#else
auto e = f<&user::age> == nullptr;
#endif

#if WRONG == 6 // a list with one element of another type
auto g = f<&user::name>.in("a", 2);
#else
auto g = f<&user::name>.in("a", "2");
#endif

#if WRONG == 7 // bounds of another type
auto h = f<&user::age>.between("a", "b");
#else
auto h = f<&user::age>.between(1, 2);
#endif

#if WRONG == 8 // a prefix of a number
auto i = f<&user::age>.starts_with("1");
#else
auto i = f<&user::name>.starts_with("1");
#endif

#if WRONG == 9 // a member of another struct in a mapping
auto j = holdfast::map_to<user>("users", holdfast::key<&other::id>());
#else
auto j = holdfast::map_to<user>("users", holdfast::key<&user::id>());
#endif

#if WRONG == 10 // a mapping without a key
auto k = holdfast::map_to<user>("users", holdfast::field<&user::id>());
#else
auto k = holdfast::map_to<other>("others", holdfast::key<&other::id>());
#endif

#if WRONG == 11 // the schema of a struct that has no mapping
auto l = holdfast::schema_of<other>();
#else
auto l = holdfast::schema_of<user>();
#endif

#if WRONG == 12 // an optional key
auto m = holdfast::key<&user::age>();
#else
auto m = holdfast::key<&user::name>();
#endif
