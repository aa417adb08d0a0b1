#include <holdfast/persistence/detail/split.hpp>

#include <rocksdb/db.h>

#include <algorithm>

namespace holdfast::detail {
namespace {

// The eight bytes of `key` from `offset` on as a number, zeros after its end.
std::uint64_t word_at(std::string_view key, std::size_t offset) {
  std::uint64_t word = 0;
  for (std::size_t i = offset; i < offset + 8; ++i)
    word = word << 8 | (i < key.size() ? static_cast<unsigned char>(key[i]) : 0u);
  return word;
}

std::uint64_t bytes_between(::rocksdb::DB& db, std::string_view first, std::string_view last) {
  ::rocksdb::Range range({first.data(), first.size()}, {last.data(), last.size()});
  ::rocksdb::SizeApproximationOptions files_only;
  std::uint64_t size = 0;
  auto s = db.GetApproximateSizes(files_only, db.DefaultColumnFamily(), &range, 1, &size);
  return s.ok() ? size : 0;
}

} // namespace

std::string middle(std::string_view low, std::string_view high) {
  auto [a, b] = std::ranges::mismatch(low, high);
  auto common = static_cast<std::size_t>(a - low.begin());
  auto from = word_at(low, common);
  auto to = word_at(high, common);
  auto mid = from + (to - from) / 2;
  std::string key{low.substr(0, common)};
  for (int shift = 56; shift >= 0; shift -= 8)
    key += static_cast<char>(mid >> shift);
  while (key.size() > common && key.back() == '\0')
    key.pop_back();
  return key > low && key < high ? key : std::string{low};
}

std::vector<std::string> split_range(::rocksdb::DB& db, std::string_view first,
                                     std::string_view last, unsigned parts) {
  std::vector<std::string> cuts;
  if (parts < 2 || last <= first)
    return cuts;
  auto total = bytes_between(db, first, last);
  for (unsigned part = 1; part < parts; ++part) {
    auto target = total / parts * part;
    std::string low{cuts.empty() ? first : cuts.back()};
    std::string high{last};
    // Each step halves the keys between, and a longer common prefix sharpens `middle`; 256 steps
    // reach 32 bytes deep.
    for (int step = 0; step < 256; ++step) {
      auto mid = middle(low, high);
      if (mid == low)
        break;
      auto before = bytes_between(db, first, mid);
      if (before < target)
        low = std::move(mid);
      else if (before - target > total / parts / 50)
        high = std::move(mid);
      else {
        low = std::move(mid);
        break;
      }
    }
    if (low > first && (cuts.empty() || low > cuts.back()))
      cuts.push_back(std::move(low));
  }
  return cuts;
}

} // namespace holdfast::detail
