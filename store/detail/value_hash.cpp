#include <holdfast/store/value_view.hpp>

#include <bit>

namespace holdfast {

namespace {

__extension__ using wide = unsigned __int128;

// Multiply and fold, as wyhash does. Not keyed: a bucket's keys come from its own service, and its
// hash pages split on more bits when one fills.
std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  auto product = static_cast<wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

constexpr std::uint64_t seed1 = 0xa0761d6478bd642f;
constexpr std::uint64_t seed2 = 0xe7037ed1a0b428db;
constexpr std::uint64_t seed3 = 0x8ebc6af09c88c6e3;

std::uint64_t load8(const char* at) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, at, 8);
  return word;
}

std::uint64_t load4(const char* at) noexcept {
  std::uint32_t word = 0;
  std::memcpy(&word, at, 4);
  return word;
}

std::uint64_t hash_bytes(std::string_view text) noexcept {
  auto* p = text.data();
  auto size = text.size();
  std::uint64_t state = seed1;
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  if (size >= 4 && size <= 16) {
    a = load4(p) << 32 | load4(p + ((size >> 3) << 2));
    b = load4(p + size - 4) << 32 | load4(p + size - 4 - ((size >> 3) << 2));
  } else if (size < 4) {
    for (char c : text)
      a = a << 8 | static_cast<unsigned char>(c);
  } else {
    auto left = size;
    for (; left > 16; left -= 16, p += 16)
      state = mix(load8(p) ^ seed2, load8(p + 8) ^ state);
    a = load8(text.data() + size - 16);
    b = load8(text.data() + size - 8);
  }
  return mix(seed3 ^ size, mix(a ^ seed2, b ^ state));
}

std::uint64_t hash_number(value_view v) noexcept {
  if (auto whole = v.if_int())
    return mix(static_cast<std::uint64_t>(*whole) ^ seed1, seed2);
  auto real = *v.if_double();
  if (real != real)
    return mix(seed1, seed3);
  return mix(std::bit_cast<std::uint64_t>(real) ^ seed3, seed2);
}

} // namespace

std::uint64_t hash_value(value_view v) noexcept {
  switch (v.kind()) {
  case value_kind::null:
    return mix(seed1, seed2);
  case value_kind::boolean:
    return mix(seed2 + (*v.if_bool() ? 1 : 0), seed3);
  case value_kind::integer:
  case value_kind::real:
    return hash_number(v);
  case value_kind::string:
    return hash_bytes(*v.if_string());
  case value_kind::array: {
    auto state = seed2;
    for (auto item : v.items())
      state = mix(state ^ hash_value(item), seed3);
    return state;
  }
  case value_kind::object: {
    // A sum, since the order of the members does not count.
    auto state = seed3;
    for (auto m : v.members())
      state += mix(hash_bytes(m.name) ^ seed1, hash_value(m.content) ^ seed2);
    return mix(state, seed1);
  }
  }
  return 0;
}

} // namespace holdfast
