#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace package_index {

/// A line of the input that was skipped, and why.
struct broken_line {
  std::size_t line = 0; ///< counts from 1
  std::string what;
  friend bool operator==(const broken_line&, const broken_line&) = default;
};

/// One field of a paragraph. The lines of a folded value are joined by '\n', without their leading
/// blank.
struct field {
  std::string_view name;
  std::string value;
  std::size_t line = 0;
};

/// The fields of one paragraph, in order, each name once.
struct paragraph {
  std::vector<field> fields;
  std::size_t line = 0; ///< of its first field

  /// Null if there is no such field. Field names do not mind case.
  const field* find(std::string_view name) const noexcept;
};

/// Reads Debian control data (deb822(5)): paragraphs of `Name: value` lines, separated by empty
/// lines; a line that begins with a blank goes on with the value above it; `#` begins a comment.
///
/// Never fails as a whole: a line that breaks the grammar is skipped, with the lines that continue
/// it, and kept in `broken()`. Linear time; the text must outlive the reader.
class control_reader {
public:
  explicit control_reader(std::string_view text) noexcept : text_{text} {}

  /// The next paragraph with at least one field, or nothing at the end.
  std::optional<paragraph> next();

  /// Bytes of the text behind the reader; for a progress bar.
  std::size_t position() const noexcept { return at_; }
  std::size_t size() const noexcept { return text_.size(); }

  const std::vector<broken_line>& broken() const noexcept { return broken_; }
  void report(std::size_t line, std::string what) { broken_.push_back({line, std::move(what)}); }

private:
  std::string_view take_line();
  bool take_field(std::string_view line, paragraph& into);
  bool take_continuation(std::string_view line, paragraph& into);

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 0;
  bool skipping_ = false; ///< the line above was broken: what continues it is broken, too
  std::vector<broken_line> broken_;
};

/// What the example keeps of a package.
struct package {
  std::string name;
  std::string version;
  std::string section;
  std::string maintainer;
  std::string summary;
  std::optional<std::int64_t> installed_size; ///< KiB
  std::vector<std::string> depends;           ///< names of packages, the first of each alternative
};

/// The package of a paragraph; nothing if it has no name or version, which is reported to `reader`
/// at the paragraph's first line. A number that is none is reported at its own line and left out.
std::optional<package> package_of(const paragraph& p, control_reader& reader);

} // namespace package_index
