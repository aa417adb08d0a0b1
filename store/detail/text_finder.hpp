#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::detail {

/// A letter without its case: Unicode's simple case folding of the Latin (Latin-1, Extended A and
/// Additional), Greek and Cyrillic scripts, archaic letters aside; other characters as they are.
/// O(1).
char32_t fold_case(char32_t c) noexcept;

/// A text without the case of its letters: two are equal if and only if the characters are, bytes
/// that are no UTF-8 included.
struct folded_text {
  /// UTF-8 of the characters, but for stray bytes. O(bytes). Throws `std::bad_alloc`.
  explicit folded_text(std::string_view text);

  std::string bytes;
  std::vector<std::uint32_t> starts; ///< where in `bytes` each character begins
};

/// Looks for a part of a text, whatever the case of letters: the search of Knuth, Morris and Pratt
/// over folded characters. Immutable once made; looking is thread-safe, allocates nothing and takes
/// O(bytes of the text) whatever the part.
class text_finder {
public:
  /// Throws `std::bad_alloc`. `part` is UTF-8, as the texts; bytes that are none stand for
  /// themselves.
  explicit text_finder(std::string_view part);

  bool in(std::string_view text) const noexcept;

private:
  std::vector<char32_t> part_;
  /// Where to go on after a mismatch behind so many characters.
  std::vector<std::uint32_t> retreat_;
};

} // namespace holdfast::detail
