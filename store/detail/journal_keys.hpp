#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::detail {

// The journal's key space. Numbers are big-endian, so that bytes sort as numbers.
//
// clang-format off
//     key                                   value
//     "s" bucket:u32 "i" (key ^ 2^63):u64   a record with an integer key (proto/record.proto)
//     "s" bucket:u32 "t" key bytes          a record with a text key (proto/record.proto)
//     "c" bucket:u32                        a bucket's schema (proto/schema.proto)
//     "n" bucket:u32                        its autoincrement counter:u64
//     "r" bucket:u32                        rows below this:u64 are not given again (given_rows)
//     "m" "format"                          version of this layout:u32, then next bucket id:u32
// clang-format on
//
// Bucket ids are never reused, so a dropped bucket's leftovers can never be taken for another's.

inline constexpr std::uint32_t key_format = 1;
using bucket_id = std::uint32_t;

inline void append_big_endian(std::string& out, std::uint64_t n, int bytes) {
  for (auto shift = (bytes - 1) * 8; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(n >> shift));
}
inline std::uint64_t read_big_endian(std::string_view bytes) noexcept {
  std::uint64_t n = 0;
  for (unsigned char c : bytes)
    n = n << 8 | c;
  return n;
}

/// `<space> <bucket>`: the prefix of what belongs to a bucket in one key space.
inline std::string bucket_prefix(char space, bucket_id id) {
  std::string key(1, space);
  append_big_endian(key, id, 4);
  return key;
}

inline std::string integer_key(bucket_id id, std::int64_t key) {
  auto out = bucket_prefix('s', id);
  out.push_back('i');
  append_big_endian(out, static_cast<std::uint64_t>(key) ^ (std::uint64_t{1} << 63), 8);
  return out;
}
inline std::string text_key(bucket_id id, std::string_view key) {
  auto out = bucket_prefix('s', id);
  out.push_back('t');
  out.append(key);
  return out;
}

inline constexpr std::string_view format_key = "mformat";

} // namespace holdfast::detail
