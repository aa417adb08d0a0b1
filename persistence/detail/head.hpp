#pragma once

#include <holdfast/store/journal.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace holdfast::detail {

/// How far one *generation* of the journal came. A generation is what one memtable and one log file
/// of RocksDB hold: each flush and each open begins a new one. Every batch overwrites the head of
/// its generation, in the same WriteBatch.
///
/// Why one head per generation, and none is ever removed: RocksDB can lose a table or a whole log
/// in the middle and not say so (the tail of MANIFEST cut off, an older log cut short) and go on
/// with a newer log. A single head would then look whole. The heads join: each begins where the one
/// before ended, in sequence and in chain, so a hole shows.
struct head {
  std::uint64_t generation = 0; ///< from 1, without gaps
  std::uint64_t epoch = 0;
  sequence first = 1; ///< the first sequence of this generation
  sequence last = 0;  ///< `first - 1` while it is empty
  std::uint64_t chain_before = 0;
  std::uint64_t chain = 0;
  friend bool operator==(const head&, const head&) = default;
};

// A head's key:   journal_reserved, "head", generation as 8 bytes big endian
// A head's value: format fixed8 (1); epoch, first, last, chain_before, chain: fixed64 little
// endian. RocksDB checks the sums of what it stores, so this has none of its own.
std::string head_key(std::uint64_t generation);
void encode_head(const head& h, std::string& out);
std::optional<head> decode_head(std::string_view key, std::string_view value);

/// Whether `next` goes on where `before` ended; says what is missing if not. `name` is the place.
result<void> joins(const head& before, const head& next, const std::string& name);

} // namespace holdfast::detail
