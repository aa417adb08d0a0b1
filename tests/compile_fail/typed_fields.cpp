// One line per case, below its name: wrong with WRONG=1, right with WRONG=0. See CMakeLists.txt.
#include <holdfast/store/store.hpp>

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
  int unmapped = 0;
};

struct pet {
  std::string id;
  int age = 0;
};

template <>
inline constexpr auto holdfast::mapping<pet> = holdfast::map_to<pet>("pets", key<&pet::id>(),
                                                                     field<&pet::age>());

struct counter {
  int id = 0;
  std::chrono::sys_time<std::chrono::milliseconds> made;
};

template <>
inline constexpr auto holdfast::mapping<counter> = holdfast::map_to<counter>("counters",
                                                                             key<&counter::id>());

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
using namespace holdfast::literals;

#if WRONG // a number compared with a text
auto a = f<&user::age> == "18";
#else
auto a = f<&user::age> == 18;
#endif

#if WRONG // a text compared with a number
auto b = f<&user::name> >= 5;
#else
auto b = f<&user::name> >= "5";
#endif

#if WRONG // a flag compared with a number
auto c = f<&user::active> == 1;
#else
auto c = f<&user::active> == true;
#endif

#if WRONG // a number compared with a flag
auto d = f<&user::balance> < true;
#else
auto d = f<&user::balance> < 1;
#endif

#if WRONG // null in a member that is not optional
auto e = f<&user::name> == nullptr;
#else
auto e = f<&user::age> == nullptr;
#endif

#if WRONG // a list with one element of another type
auto g = f<&user::name>.in("a", 2);
#else
auto g = f<&user::name>.in("a", "2");
#endif

#if WRONG // bounds of another type
auto h = f<&user::age>.between("a", "b");
#else
auto h = f<&user::age>.between(1, 2);
#endif

#if WRONG // a prefix of a number
auto i = f<&user::age>.starts_with("1");
#else
auto i = f<&user::name>.starts_with("1");
#endif

#if WRONG // a member of another struct in a mapping
auto j = holdfast::map_to<user>("users", holdfast::key<&other::id>());
#else
auto j = holdfast::map_to<user>("users", holdfast::key<&user::id>());
#endif

#if WRONG // a mapping without a key
auto k = holdfast::map_to<user>("users", holdfast::field<&user::id>());
#else
auto k = holdfast::map_to<other>("others", holdfast::key<&other::id>());
#endif

#if WRONG // the schema of a struct that has no mapping
auto l = holdfast::schema_of<other>();
#else
auto l = holdfast::schema_of<user>();
#endif

#if WRONG // an optional key
auto m = holdfast::key<&user::age>();
#else
auto m = holdfast::key<&user::name>();
#endif

#if WRONG // an enum compared with a text
auto n = f<&user::part> == "admin";
#else
auto n = f<&user::part> == role::admin;
#endif

#if WRONG // an enum compared with another
auto o = f<&user::part> == level::low;
#else
auto o = f<&user::part> != role::guest;
#endif

#if WRONG // an enum compared by order
auto p = f<&user::part> < role::admin;
#else
auto p = f<&user::part>.in(role::admin, role::guest);
#endif

#if WRONG // a time compared with a number
auto q = f<&user::joined> > 5;
#else
auto q = f<&user::joined> > std::chrono::sys_days{};
#endif

#if WRONG // a duration compared with a number
auto r = f<&user::spent> > 5;
#else
auto r = f<&user::spent> > std::chrono::seconds{5};
#endif

#if WRONG // a duration compared with a time
auto s = f<&user::spent> > std::chrono::sys_days{};
#else
auto s = f<&user::spent> > std::chrono::hours{};
#endif

#if WRONG // a member of another struct in a path: each member of a path belongs
auto t = f<&user::home, &other::id> == "x";
#else
auto t = f<&user::home, &town::city> == "x";
#endif

#if WRONG // a nested member compared with another type
auto u = f<&user::home, &town::zip> == "x";
#else
auto u = f<&user::home, &town::zip> == 1;
#endif

#if WRONG // a member set to another type
auto v = holdfast::set<&user::age>("x");
#else
auto v = holdfast::set<&user::age>(5);
#endif

#if WRONG // a fraction for an integer
auto w = holdfast::set<&user::age>(1.5);
#else
auto w = holdfast::set<&user::balance>(1.5);
#endif

#if WRONG // a number for a flag
auto x = holdfast::set<&user::active>(1);
#else
auto x = holdfast::set<&user::active>(true);
#endif

#if WRONG // an enum for another
auto y = holdfast::set<&user::part>(level::low);
#else
auto y = holdfast::set<&user::part>(role::guest);
#endif

#if WRONG // a vector of structs without a mapping
auto z = holdfast::field<&other::users>();
#else
auto z = holdfast::field<&other::towns>();
#endif

#if WRONG // a key in a nested struct
auto aa = holdfast::map_object<town>(holdfast::key<&town::city>());
#else
auto aa = holdfast::map_object<town>(holdfast::field<&town::city>());
#endif

#if WRONG // a default in a nested struct
auto bb = holdfast::map_object<town>(holdfast::field<&town::zip>(holdfast::otherwise(1)));
#else
auto bb = holdfast::map_object<town>(holdfast::field<&town::zip>(holdfast::minimum(1)));
#endif

#if WRONG // a bound of another type
auto cc = holdfast::field<&user::name>(holdfast::minimum(1)).spec();
#else
auto cc = holdfast::field<&user::age>(holdfast::minimum(1)).spec();
#endif

#if WRONG // a length of a number
auto dd = holdfast::field<&user::age>(holdfast::length(1, 2)).spec();
#else
auto dd = holdfast::field<&user::name>(holdfast::length(1, 2)).spec();
#endif

#if WRONG // a default of another type
auto ee = holdfast::field<&user::age>(holdfast::otherwise("x")).spec();
#else
auto ee = holdfast::field<&user::age>(holdfast::otherwise(1)).spec();
#endif

#if WRONG // a bucket of a struct without a mapping
auto ff(holdfast::bucket<other> b2) { return b2.count(); }
#else
auto ff(holdfast::bucket<user> b2) { return b2.count(); }
#endif

#if WRONG // a key of another type
auto gg(holdfast::bucket<user> b2) { return b2.get(7); }
#else
auto gg(holdfast::bucket<user> b2) { return b2.get("7"); }
#endif

#if WRONG // a change of a member of another struct
auto hh(holdfast::bucket<user> b2) { return b2.update("7", holdfast::set<&town::city>("x")); }
#else
auto hh(holdfast::bucket<user> b2) { return b2.update("7", holdfast::set<&user::name>("x")); }
#endif

#if WRONG // a struct of another type inserted
auto ii(holdfast::bucket<user> b2) { return b2.insert(town{}); }
#else
auto ii(holdfast::bucket<user> b2) { return b2.insert(user{}); }
#endif

#if WRONG // an unknown member
auto jj = f<&user::salary> == 1;
#else
auto jj = f<&user::age> == 1;
#endif

#if WRONG // a reference to a key of another type
auto kk = holdfast::field<&user::age>(holdfast::references<user>()).spec();
#else
auto kk = holdfast::field<&user::name>(holdfast::references<user>()).spec();
#endif

#if WRONG // rules of items on a text
auto ll = holdfast::field<&user::name>(holdfast::items(holdfast::length(1, 2))).spec();
#else
auto ll = holdfast::field<&user::tags>(holdfast::items(holdfast::length(1, 2))).spec();
#endif

#if WRONG // the sum of a text
auto mm(holdfast::bucket<user> b2) { return b2.everything().sum(f<&user::name>); }
#else
auto mm(holdfast::bucket<user> b2) { return b2.everything().sum(f<&user::age>); }
#endif

#if WRONG // the sum of a flag
auto nn(holdfast::bucket<user> b2) { return b2.everything().sum(f<&user::active>); }
#else
auto nn(holdfast::bucket<user> b2) { return b2.everything().sum(f<&user::balance>); }
#endif

#if WRONG // the mean of times
auto oo(holdfast::bucket<user> b2) { return b2.everything().avg(f<&user::joined>); }
#else
auto oo(holdfast::bucket<user> b2) { return b2.everything().avg(f<&user::spent>); }
#endif

#if WRONG // an order by a vector
auto pp(holdfast::bucket<user> b2) { return b2.everything().order_by(f<&user::tags>); }
#else
auto pp(holdfast::bucket<user> b2) { return b2.everything().order_by(f<&user::part>); }
#endif

#if WRONG // an order by a struct
auto qq(holdfast::bucket<user> b2) { return b2.everything().then_by(f<&user::home>); }
#else
auto qq(holdfast::bucket<user> b2) { return b2.everything().then_by(f<&user::home, &town::zip>); }
#endif

#if WRONG // the least vector
auto rr(holdfast::bucket<user> b2) { return b2.everything().min(f<&user::tags>); }
#else
auto rr(holdfast::bucket<user> b2) { return b2.everything().min(f<&user::joined>); }
#endif

#if WRONG // the greatest struct
auto ss(holdfast::bucket<user> b2) { return b2.everything().max(f<&user::home>); }
#else
auto ss(holdfast::bucket<user> b2) { return b2.everything().max(f<&user::active>); }
#endif

#if WRONG // the sum of a member of another struct
auto tt(holdfast::bucket<user> b2) { return b2.everything().sum(f<&town::zip>); }
#else
auto tt(holdfast::bucket<user> b2) { return b2.everything().sum(f<&user::home, &town::zip>); }
#endif

#if WRONG // an order by a member of another struct
auto uu(holdfast::bucket<user> b2) { return b2.everything().order_by(f<&town::city>); }
#else
auto uu(holdfast::bucket<user> b2) { return b2.everything().order_by("name"); }
#endif

#if WRONG // the greatest value of a member of another struct
auto vv(holdfast::bucket<user> b2) { return b2.everything().max(f<&other::id>); }
#else
auto vv(holdfast::bucket<user> b2) { return b2.everything().max("name"); }
#endif

#if WRONG // a query's order by a vector
auto ww = holdfast::query{}.order_by(f<&user::tags>);
#else
auto ww = holdfast::query{}.order_by(f<&user::name>);
#endif

#if WRONG // an aggregate sum of a text
auto xx = holdfast::aggregate::sum(f<&user::name>);
#else
auto xx = holdfast::aggregate::sum(f<&user::age>);
#endif

#if WRONG // an aggregate mean of a flag
auto yy = holdfast::aggregate::avg(f<&user::active>);
#else
auto yy = holdfast::aggregate::avg(f<&user::spent>);
#endif

#if WRONG // the least vector of a group
auto zz = holdfast::aggregate::min(f<&user::tags>);
#else
auto zz = holdfast::aggregate::min(f<&user::joined>);
#endif

#if WRONG // the greatest struct of a group
auto ab = holdfast::aggregate::max(f<&user::home>);
#else
auto ab = holdfast::aggregate::max(f<&user::home, &town::zip>);
#endif

using sums = holdfast::aggregate;
using users = holdfast::bucket<user>;
using counters = holdfast::bucket<counter>;
using any_time = std::chrono::system_clock::time_point;
using days = std::chrono::sys_days;
using holdfast::otherwise;

#if WRONG // groups by a member of another struct
auto ac(users b2) { return b2.everything().group_by({f<&town::zip>}, {}); }
#else
auto ac(users b2) { return b2.everything().group_by({"name", f<&user::age>}, {}); }
#endif

#if WRONG // an aggregate over a member of another struct
auto ad(users b2) { return b2.everything().group_by({}, {sums::sum(f<&town::zip>)}); }
#else
auto ad(users b2) { return b2.everything().group_by({}, {sums::count(), sums::sum("age")}); }
#endif

using view = holdfast::typed_view<user>;
using pet_view = holdfast::typed_view<pet>;
using pet_change = holdfast::typed_change<pet>;
using grow = holdfast::typed_bucket_update<user>;
using texts = std::vector<std::string>;
using now = holdfast::query_update;
using db = holdfast::store;
void look(const view&);
void look_at_pet(const pet_view&);
void hear_of_pet(const pet_change&);
const char* text_of(const view&);
int number_of(const view&);
int number_of_pet(const pet_view&);

#if WRONG // a look at a member of another struct
void ae(view u2) { (void)u2.get<&pet::age>(); }
#else
void ae(view u2) { (void)u2.get<&user::age>(); }
#endif

#if WRONG // a look at a member that the mapping leaves out
void af(view u2) { (void)u2.get<&user::unmapped>(); }
#else
void af(view u2) { (void)u2.get<&user::home, &town::zip>(); }
#endif

#if WRONG // a look at a member as another type
double ag(view u2) { return u2.get<&user::name>(); }
#else
double ag(view u2) { return u2.get<&user::balance>(); }
#endif

#if WRONG // a visit of another struct
auto ah(users b2) { return b2.visit("7", look_at_pet); }
#else
auto ah(users b2) { return b2.visit("7", look); }
#endif

#if WRONG // a visit of many of another struct
auto ai(users b2) { return b2.everything().visit(look_at_pet); }
#else
auto ai(users b2) { return b2.everything().visit(look); }
#endif

#if WRONG // a selected member of another struct
auto aj(users b2) { return b2.everything().select(f<&user::id>, f<&pet::age>); }
#else
auto aj(users b2) { return b2.everything().select(f<&user::id>, f<&user::age>); }
#endif

#if WRONG // a selected name
auto ak(users b2) { return b2.everything().select("age"); }
#else
auto ak(users b2) { return b2.everything().select(f<&user::age>); }
#endif

#if WRONG // selected members as another type
texts al(users b2) { return *b2.everything().select(f<&user::balance>).get(); }
#else
texts al(users b2) { return *b2.everything().select(f<&user::name>).get(); }
#endif

#if WRONG // a handler of changes of another struct
auto am(db& d) { return d.on<user>(hear_of_pet); }
#else
auto am(db& d) { return d.on<pet>(hear_of_pet); }
#endif

#if WRONG // changes of a struct without a mapping
auto an(db& d) { return d.on<other>(hear_of_pet); }
#else
auto an(db& d) { return d.on<pet>(hear_of_pet); }
#endif

#if WRONG // a changed struct as another
auto ao(const pet_change& c) { return c.after()->name; }
#else
auto ao(const pet_change& c) { return c.after()->age; }
#endif

#if WRONG // a new field of another struct
auto ap(grow g2) { return g2.add_field<&pet::age>(); }
#else
auto ap(grow g2) { return g2.add_field<&user::age>(); }
#endif

#if WRONG // a new field filled with another type
auto aq(grow g2) { return g2.add_field<&user::age>("x"); }
#else
auto aq(grow g2) { return g2.add_field<&user::age>(5); }
#endif

#if WRONG // a new integer filled with a fraction
auto ar(grow g2) { return g2.add_field<&user::age>(1.5); }
#else
auto ar(grow g2) { return g2.add_field<&user::balance>(1.5); }
#endif

#if WRONG // a new field filled by a function of another type
auto as(grow g2) { return g2.add_field<&user::age>(text_of); }
#else
auto as(grow g2) { return g2.add_field<&user::name>(text_of); }
#endif

#if WRONG // a new field filled by a function of another struct
auto at(grow g2) { return g2.add_field<&user::age>(number_of_pet); }
#else
auto at(grow g2) { return g2.add_field<&user::age>(number_of); }
#endif

#if WRONG // a new index over a member of another struct
auto au(grow g2) { return g2.add_index<&user::name, &pet::age>(); }
#else
auto au(grow g2) { return g2.add_index<&user::name, &user::age>(); }
#endif

#if WRONG // a list of structs without a mapping
auto av(const now& u2) { return u2.list<other>(); }
#else
auto av(const now& u2) { return u2.list<user>(); }
#endif

#if WRONG // changes of a list as those of another struct
auto aw(const now& u2) { return u2.changes<pet>()->added[0].name; }
#else
auto aw(const now& u2) { return u2.changes<user>()->added[0].name; }
#endif

#if WRONG // a filter over a member of another struct
auto ax(users b2) { return b2.where(f<&pet::age> == 1); }
#else
auto ax(users b2) { return b2.where(f<&user::age> == 1 && "name"_f != "x"); }
#endif

#if WRONG // a further filter over a member of another struct
auto ay(users b2) { return b2.everything().where(f<&town::zip> == 1); }
#else
auto ay(users b2) { return b2.everything().where(f<&user::home, &town::zip> == 1); }
#endif

#if WRONG // a filter over members of two structs
auto az = f<&user::age> == 1 && f<&pet::age> == 1;
#else
auto az = f<&user::age> == 1 && !(f<&user::age> == 2 || f<&user::name> == "x");
#endif

#if WRONG // erased by a filter over a member of another struct
auto ba(users b2) { return b2.erase_many(f<&pet::age> == 1); }
#else
auto ba(users b2) { return b2.erase_many(f<&user::age> == 1); }
#endif

#if WRONG // counted by a filter over a member of another struct
auto bd(users b2) { return b2.count(!(f<&pet::id> == "x")); }
#else
auto bd(users b2) { return b2.count(!(f<&user::id> == "x")); }
#endif

#if WRONG // changed where a member of another struct is
auto be(users b2) { return b2.update_many(f<&pet::age> == 1, holdfast::set<&user::age>(2)); }
#else
auto be(users b2) { return b2.update_many(f<&user::age> == 1, holdfast::set<&user::age>(2)); }
#endif

#if WRONG // a null pointer for a text
auto bf = holdfast::set<&user::name>(nullptr);
#else
auto bf = holdfast::set<&user::age>(nullptr);
#endif

#if WRONG // a zero for a text
auto bg = holdfast::set<&user::name>(0);
#else
auto bg = holdfast::set<&user::age>(0);
#endif

#if WRONG // an optional fraction for an integer
auto bh = holdfast::set<&user::age>(std::optional<double>{});
#else
auto bh = holdfast::set<&user::age>(std::optional<int>{});
#endif

#if WRONG // a letter for an integer
auto bi = holdfast::set<&user::age>('a');
#else
auto bi = holdfast::set<&user::age>(short{1});
#endif

#if WRONG // an optional for what is none
auto bj = holdfast::set<&user::name>(std::optional{std::string{}});
#else
auto bj = holdfast::set<&user::name>(std::string{});
#endif

#if WRONG // a finer time
auto bk = holdfast::set<&user::joined>(any_time{});
#else
auto bk = holdfast::set<&user::joined>(days{});
#endif

#if WRONG // a fraction for a key
auto bl(counters b2) { return b2.get(1.5); }
#else
auto bl(counters b2) { return b2.get(1u); }
#endif

#if WRONG // a flag for a key
auto bm(counters b2) { return b2.erase(true); }
#else
auto bm(counters b2) { return b2.erase(1); }
#endif

#if WRONG // a zero for a key that is a text
auto bn(users b2) { return b2.get(0); }
#else
auto bn(users b2) { return b2.get("0"); }
#endif

#if WRONG // a null pointer for a key
auto bo(users b2) { return b2.get(nullptr); }
#else
auto bo(users b2) { return b2.get(std::string{}); }
#endif

#if WRONG // a default that is finer than its member
auto bp = holdfast::field<&user::joined>(otherwise(any_time{})).spec();
#else
auto bp = holdfast::field<&user::joined>(otherwise(days{})).spec();
#endif

#if WRONG // a default function that makes fractions
auto bq = holdfast::field<&user::age>(otherwise([] { return 1.5; })).spec();
#else
auto bq = holdfast::field<&user::age>(otherwise([] { return 1; })).spec();
#endif

#if WRONG // a new text filled with a null pointer
auto br(grow g2) { return g2.add_field<&user::name>(nullptr); }
#else
auto br(grow g2) { return g2.add_field<&user::age>(nullptr); }
#endif

#if WRONG // a generated time in seconds: a_generated_time_is_in_milliseconds
constexpr auto bs = holdfast::field<&user::joined>(holdfast::insertion_time);
#else
constexpr auto bs = holdfast::field<&counter::made>(holdfast::insertion_time);
#endif

#if WRONG // an inverted index over a number
auto bt = holdfast::field<&user::age>(holdfast::inverted).spec();
#else
auto bt = holdfast::field<&user::tags>(holdfast::inverted).spec();
#endif

#if WRONG // an inverted index over a number that is there
auto bu(grow g2) { return g2.add_inverted_index<&user::age>(); }
#else
auto bu(grow g2) { return g2.add_inverted_index<&user::name>(); }
#endif
