// One line per case: wrong if WRONG is its number, right otherwise. See CMakeLists.txt.
#include <holdfast/store/typed_bucket.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

enum class role { guest, admin };
enum class level { low, high };

struct town {
  std::string city;
  std::optional<int> zip;
};

template <>
inline constexpr auto holdfast::mapping<town> = holdfast::map_object<town>(field<&town::city>(),
                                                                           field<&town::zip>());

struct user {
  std::string id;
  std::string name;
  std::optional<std::int64_t> age;
  bool active = false;
  double balance = 0;
  role part = role::guest;
  std::chrono::sys_seconds joined;
  std::chrono::minutes spent{};
  town home;
  std::vector<std::string> tags;
};

struct other {
  std::string id;
  std::vector<user> users;
  std::vector<town> towns;
};

template <>
inline constexpr auto holdfast::mapping<user> = holdfast::map_to<user>(
    "users", key<&user::id>(uuid), field<&user::name>(length(1, 200)), field<&user::age>(indexed),
    field<&user::active>(), field<&user::balance>(), field<&user::part>(), field<&user::joined>(),
    field<&user::spent>(), field<&user::home>(), field<&user::tags>());

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

#if WRONG == 13 // an enum compared with a text
auto n = f<&user::part> == "admin";
#else
auto n = f<&user::part> == role::admin;
#endif

#if WRONG == 14 // an enum compared with another
auto o = f<&user::part> == level::low;
#else
auto o = f<&user::part> != role::guest;
#endif

#if WRONG == 15 // an enum compared by order
auto p = f<&user::part> < role::admin;
#else
auto p = f<&user::part>.in(role::admin, role::guest);
#endif

#if WRONG == 16 // a time compared with a number
auto q = f<&user::joined> > 5;
#else
auto q = f<&user::joined> > std::chrono::sys_days{};
#endif

#if WRONG == 17 // a duration compared with a number
auto r = f<&user::spent> > 5;
#else
auto r = f<&user::spent> > std::chrono::seconds{5};
#endif

#if WRONG == 18 // a duration compared with a time
auto s = f<&user::spent> > std::chrono::sys_days{};
#else
auto s = f<&user::spent> > std::chrono::hours{};
#endif

#if WRONG == 19 // a member of another struct in a path
auto t = f<&user::home, &other::id> == "x";
#else
auto t = f<&user::home, &town::city> == "x";
#endif

#if WRONG == 20 // a nested member compared with another type
auto u = f<&user::home, &town::zip> == "x";
#else
auto u = f<&user::home, &town::zip> == 1;
#endif

#if WRONG == 21 // a member set to another type
auto v = holdfast::set<&user::age>("x");
#else
auto v = holdfast::set<&user::age>(5);
#endif

#if WRONG == 22 // a fraction for an integer
auto w = holdfast::set<&user::age>(1.5);
#else
auto w = holdfast::set<&user::balance>(1.5);
#endif

#if WRONG == 23 // a number for a flag
auto x = holdfast::set<&user::active>(1);
#else
auto x = holdfast::set<&user::active>(true);
#endif

#if WRONG == 24 // an enum for another
auto y = holdfast::set<&user::part>(level::low);
#else
auto y = holdfast::set<&user::part>(role::guest);
#endif

#if WRONG == 25 // a vector of structs without a mapping
auto z = holdfast::field<&other::users>();
#else
auto z = holdfast::field<&other::towns>();
#endif

#if WRONG == 26 // a key in a nested struct
auto aa = holdfast::map_object<town>(holdfast::key<&town::city>());
#else
auto aa = holdfast::map_object<town>(holdfast::field<&town::city>());
#endif

#if WRONG == 27 // a default in a nested struct
auto bb = holdfast::map_object<town>(holdfast::field<&town::zip>(holdfast::otherwise(1)));
#else
auto bb = holdfast::map_object<town>(holdfast::field<&town::zip>(holdfast::minimum(1)));
#endif

#if WRONG == 28 // a bound of another type
auto cc = holdfast::field<&user::name>(holdfast::minimum(1)).spec();
#else
auto cc = holdfast::field<&user::age>(holdfast::minimum(1)).spec();
#endif

#if WRONG == 29 // a length of a number
auto dd = holdfast::field<&user::age>(holdfast::length(1, 2)).spec();
#else
auto dd = holdfast::field<&user::name>(holdfast::length(1, 2)).spec();
#endif

#if WRONG == 30 // a default of another type
auto ee = holdfast::field<&user::age>(holdfast::otherwise("x")).spec();
#else
auto ee = holdfast::field<&user::age>(holdfast::otherwise(1)).spec();
#endif

#if WRONG == 31 // a bucket of a struct without a mapping
auto ff(holdfast::bucket<other> b2) { return b2.count(); }
#else
auto ff(holdfast::bucket<user> b2) { return b2.count(); }
#endif

#if WRONG == 32 // a key of another type
auto gg(holdfast::bucket<user> b2) { return b2.get(7); }
#else
auto gg(holdfast::bucket<user> b2) { return b2.get("7"); }
#endif

#if WRONG == 33 // a change of a member of another struct
auto hh(holdfast::bucket<user> b2) { return b2.update("7", holdfast::set<&town::city>("x")); }
#else
auto hh(holdfast::bucket<user> b2) { return b2.update("7", holdfast::set<&user::name>("x")); }
#endif

#if WRONG == 34 // a struct of another type inserted
auto ii(holdfast::bucket<user> b2) { return b2.insert(town{}); }
#else
auto ii(holdfast::bucket<user> b2) { return b2.insert(user{}); }
#endif

#if WRONG == 35 // an unknown member
auto jj = f<&user::salary> == 1;
#else
auto jj = f<&user::age> == 1;
#endif

#if WRONG == 36 // a reference to a key of another type
auto kk = holdfast::field<&user::age>(holdfast::references<user>()).spec();
#else
auto kk = holdfast::field<&user::name>(holdfast::references<user>()).spec();
#endif

#if WRONG == 37 // rules of items on a text
auto ll = holdfast::field<&user::name>(holdfast::items(holdfast::length(1, 2))).spec();
#else
auto ll = holdfast::field<&user::tags>(holdfast::items(holdfast::length(1, 2))).spec();
#endif
