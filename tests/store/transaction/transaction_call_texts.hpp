#pragma once

#include "transaction_calls.hpp"

#include <memory>
#include <utility>

namespace holdfast::testing::hotel {

// -- answers as text

inline std::string text(const record& r) {
  return r.to_string() + " v" + std::to_string(r.version());
}
inline std::string text(const value& v) { return v.to_string(); }
inline std::string text(const object& o) { return value{o}.to_string(); }
inline std::string text(const guest& g) {
  return g.name + " " + std::to_string(g.age) + " " + g.room.value_or("-");
}
inline std::string text(std::uint64_t n) { return std::to_string(n); }
inline std::string text(const explanation& e) { return e.to_string(); }
template <class T>
inline std::string text(const std::optional<T>& x) {
  return x ? text(value{*x}) : "none";
}
template <class T>
inline std::string text(const std::vector<T>& list) {
  std::string out;
  for (auto& each : list)
    out += text(each) + "; ";
  return out;
}
inline std::string text(const groups& list) {
  std::string out;
  for (auto& each : list)
    out += text(each.key) + "= " + text(each.results);
  return out;
}
inline std::string text(const page& p) { return text(p.items) + p.next.value_or("end"); }
inline std::string text(const typed_page<guest>& p) {
  return text(p.items) + p.next.value_or("end");
}
inline std::string text(const query_list& l) { return text(l.items) + text(l.objects); }
template <class T>
inline std::string text(const result<T>& r) {
  return r ? text(*r) : r.error().to_string();
}
template <class T>
inline std::string text(pending<T> p) {
  return text(std::move(p).get());
}

/// A call by a handle of records, and one by a handle of structs.
inline call of(std::string name, std::function<std::string(const bucket<>&)> make) {
  return {std::move(name), [make](auto& plain, auto&) { return make(plain); }};
}
inline call typed(std::string name, std::function<std::string(const bucket<guest>&)> make) {
  return {std::move(name), [make](auto&, auto& guests) { return make(guests); }};
}

inline const filter grown = "age"_f >= 18;

} // namespace holdfast::testing::hotel
