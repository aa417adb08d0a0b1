#include "workload.hpp"

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <random>

namespace holdfast::bench {

namespace {

person make_person(std::uint32_t i) {
  char text[64];
  person p;
  // The multiplication scatters the ids, so that their order says nothing about insertion.
  std::snprintf(text, sizeof text, "%08x-%04x-4%03x-8abc-%012x", (i + 1) * 2654435761U, i & 0xffffU,
                (i >> 16) & 0xfffU, i);
  p.id = text;
  std::snprintf(text, sizeof text, "name-%07u", i);
  p.name = text;
  std::snprintf(text, sizeof text, "user%u@example.com", i);
  p.email = text;
  p.role = i % 100 == 0 ? "admin" : "user";
  p.age = 18 + i % 60;
  p.balance = 1000.25 + i % 1000;
  return p;
}

} // namespace

std::vector<person> people(std::uint32_t count, std::uint32_t from) {
  std::vector<person> out;
  out.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i)
    out.push_back(make_person(from + i));
  return out;
}

std::vector<std::uint32_t> random_order(std::size_t count, std::uint32_t limit) {
  std::mt19937_64 random{88172645463325252U};
  std::vector<std::uint32_t> out(count);
  for (auto& i : out)
    i = static_cast<std::uint32_t>(random() % limit);
  return out;
}

std::vector<std::uint32_t> shuffled(std::uint32_t count) {
  std::vector<std::uint32_t> out(count);
  std::iota(out.begin(), out.end(), 0U);
  std::shuffle(out.begin(), out.end(), std::mt19937_64{88172645463325252U});
  return out;
}

} // namespace holdfast::bench
