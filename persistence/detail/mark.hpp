#pragma once

#include <holdfast/store/journal.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace holdfast::detail {

/// What the journal knows of itself outside RocksDB: how far it had come. Written after the bytes
/// it speaks of, so it never claims more than there was; what `open` recovers must reach it.
///
/// Each write of the mark is one pwrite and no fsync. That is sound: the log was synced before, so
/// a mark that reaches the disk never runs ahead, and one that does not is only less strict. A
/// killed process loses none of it, since the page cache outlives the process.
struct mark {
  std::uint64_t turn = 0; ///< counts writes of the mark; the higher of two slots is the current
  std::uint64_t epoch = 0;
  sequence durable = 0;    ///< on stable storage: binding for ever
  sequence written = 0;    ///< handed to the operating system: binding until the machine restarts
  std::uint64_t chain = 0; ///< at `written`
  std::uint64_t boot = 0;  ///< which boot of the machine wrote this; 0 if unknown
  bool clean = false;      ///< closed in order; nothing came after
  friend bool operator==(const mark&, const mark&) = default;
};

// The file MARK is three pages of 4096 bytes, so that no torn write of one harms another:
//   page 0, the header, never rewritten; its first 16 bytes mean the same in every version:
//     magic:    8 bytes   "holdfast"
//     version:  fixed32   of the whole directory's format
//     checksum: fixed32   crc32c of the 12 bytes above
//   pages 1 and 2, two slots written in turn:
//     turn, epoch, durable, written, chain, boot: fixed64 each
//     clean:    fixed32   0 or 1
//     checksum: fixed32   crc32c of the 52 bytes above
// All numbers are little endian; the rest of each page is zero.
inline constexpr std::uint32_t journal_format = 1;
inline constexpr std::size_t mark_page = 4096;
inline constexpr std::size_t mark_size = 3 * mark_page;
inline constexpr std::size_t mark_slot_bytes = 56;

std::string encode_mark_header(std::uint32_t version = journal_format);
std::string encode_mark_slot(const mark& m);
std::optional<mark> decode_mark_slot(std::string_view bytes);

/// The current mark of a whole file. `path` is for the texts of `corrupt` and `newer_format`. One
/// damaged slot is borne: the other is at most one write older.
result<mark> decode_mark(std::string_view file, const std::string& path);

} // namespace holdfast::detail
