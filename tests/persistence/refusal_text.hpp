#pragma once

#include <holdfast/store/journal.hpp>

#include <regex>
#include <string>

namespace holdfast::testing {

/// A journal in `directory` of which one file was damaged; before, it held commits 1 to `last`.
struct damaged_journal {
  std::string directory;
  std::string file;
  sequence last = 0;
};

/// Whether the text before what is lost names the damaged file, or the one through which the damage
/// shows: another manifest than CURRENT named, a table that the MANIFEST no longer tells of.
inline bool names_the_file(const std::string& subject, const std::string& file) {
  auto has = [&](const char* part) { return subject.find(part) != std::string::npos; };
  return has(file.c_str()) || (file == "CURRENT" && has("/MANIFEST-")) ||
         (file.starts_with("MANIFEST-") && has(".sst"));
}

/// What is wrong with the text of a refusal to open that journal; empty if nothing: it begins with
/// the place, names the damaged file or the commits that are missing, and says what is lost in one
/// of three ways, with the right numbers.
inline std::string wrong_in(const std::string& text, const damaged_journal& of) {
  static const std::regex whole{"(.*); lost: (.*); restore a backup"
                                "(, or open it read-only to see what is left)?"};
  static const std::regex tail{"commits? (\\d+)(?: to (\\d+))? of the (\\d+) commits that MARK "
                               "records(?: \\(\\d+ synced\\))?"
                               "(?:, while commits? 1(?: to (\\d+))? (?:are|is) there)?"};
  static const std::regex part{"an unknown part of the (\\d+) commits that MARK records"
                               "(?: \\(\\d+ synced\\))?"};
  static const std::regex beyond{"what came after commit (\\d+), if anything did, which only MARK "
                                 "could tell, while commits 1 to (\\d+) are there"};
  if (!text.starts_with(of.directory))
    return "does not begin with the place";
  std::smatch said, n;
  if (!std::regex_match(text, said, whole))
    return "does not say what is lost";
  const auto subject = said.str(1).substr(of.directory.size());
  const auto lost = said.str(2);
  const auto last = std::to_string(of.last);
  if (std::regex_match(lost, n, beyond)) {
    if (of.file != "MARK" || !subject.starts_with("/MARK: "))
      return "has lost MARK, though it is another file that was damaged";
    return n.str(1) == last && n.str(2) == last ? "" : "says less than what is there";
  }
  if (of.file == "MARK")
    return "does not say what is there without MARK";
  if (std::regex_match(lost, n, part)) {
    if (!names_the_file(subject, of.file))
      return "names no file";
    return n.str(1) == last ? "" : "tells another number of commits";
  }
  if (!std::regex_match(lost, n, tail))
    return "says in no known way what is lost";
  const auto first = std::stoull(n.str(1));
  if (!subject.starts_with(": commits " + n.str(1) + " to "))
    return "does not begin with the commits that are missing";
  if ((n[2].matched ? n.str(2) : n.str(1)) != last || n.str(3) != last)
    return "tells another number of commits";
  const auto there = n[4].matched ? std::stoull(n.str(4)) : first == 2 ? 1 : 0;
  return there + 1 == first ? "" : "does not add up";
}

} // namespace holdfast::testing
