#include "rules.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace holdfast::testing {

namespace {

constexpr std::size_t max_columns = 100;
constexpr int max_header_lines = 350;
constexpr int max_source_lines = 900;

bool starts_with(std::string_view s, std::string_view prefix) {
  return s.substr(0, prefix.size()) == prefix;
}

bool ends_with(std::string_view s, std::string_view suffix) {
  return s.size() >= suffix.size() && s.substr(s.size() - suffix.size()) == suffix;
}

bool contains(std::string_view s, std::string_view part) {
  return s.find(part) != std::string_view::npos;
}

/// What the path says about a file.
struct place {
  explicit place(std::string_view path)
      : component{path.substr(0, path.find('/'))}, header{ends_with(path, ".hpp")},
        cpp{header || ends_with(path, ".cpp")}, library{component == "runtime" ||
                                                        component == "store" ||
                                                        component == "persistence"},
        test{component == "tests"}, bench{starts_with(path, "tests/bench/")},
        rules_test{starts_with(path, "tests/tidy/")} {}

  std::string_view component;
  bool header;
  bool cpp;
  bool library;
  bool test;
  bool bench;
  bool rules_test; ///< spells out what is banned
};

/// UTF-8 code points, which is what an editor's columns count for the scripts used here.
std::size_t columns(std::string_view line) {
  return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::optional<std::string> layout_breach(std::string_view line, const place& at) {
  if (contains(line, "\t") && !ends_with(at.component, "Makefile"))
    return "tab";
  if (contains(line, "\r"))
    return "carriage return";
  if (!line.empty() && line.back() == ' ')
    return "trailing blank";
  if (at.cpp && columns(line) > max_columns)
    return "longer than " + std::to_string(max_columns) + " columns";
  return std::nullopt;
}

struct banned_word {
  std::string_view word;
  std::string_view why;
  bool (*applies)(const place&);
};

constexpr bool in_cpp(const place& at) { return at.cpp && !at.rules_test; }
bool in_headers(const place& at) { return at.header && !at.rules_test; }
bool in_tests(const place& at) { return at.cpp && at.test && !at.bench && !at.rules_test; }
bool in_library(const place& at) { return at.cpp && at.library; }

constexpr std::array banned_words{
    banned_word{"using namespace std;", "name what you use", in_cpp},
    banned_word{"using namespace caf;", "caf's names collide with ours and std's", in_cpp},
    banned_word{"using namespace ", "a header forces it on every includer", in_headers},
    banned_word{"TODO", "finish it, or file an issue", in_cpp},
    banned_word{"FIXME", "finish it, or file an issue", in_cpp},
    banned_word{"XXX", "finish it, or file an issue", in_cpp},
    banned_word{"#pragma region", "no decoration", in_cpp},
    banned_word{"sleep_for", "a test waits for an event, never for time", in_tests},
    banned_word{"sleep_until", "a test waits for an event, never for time", in_tests},
    banned_word{"usleep(", "a test waits for an event, never for time", in_tests},
    banned_word{"nanosleep(", "a test waits for an event, never for time", in_tests},
    banned_word{".await(", "an awaiting actor skips even its exit message", in_library},
    banned_word{"caf::detached", "detached actors dead-lock at shutdown", in_library},
    banned_word{"std::regex", "a user's pattern makes it recurse without bound: RE2", in_library},
    banned_word{"std::cout", "the library has a logging hook", in_library},
    banned_word{"std::cerr", "the library has a logging hook", in_library},
};

/// `catch (...)` must do something with what it caught: rethrow, store it, or turn it into an
/// error. An empty body, on the same line or the next, swallows it.
bool swallows_everything(std::string_view line, std::string_view next) {
  auto at = line.find("catch (...)");
  if (at == std::string_view::npos)
    return false;
  auto body = line.substr(at);
  auto open = body.find('{');
  if (open == std::string_view::npos)
    return false;
  auto rest = body.substr(open + 1);
  auto blank = [](std::string_view s) {
    return s.find_first_not_of(' ') == std::string_view::npos;
  };
  auto closes = [](std::string_view s) {
    auto first = s.find_first_not_of(' ');
    return first != std::string_view::npos && s[first] == '}';
  };
  return closes(rest) || (blank(rest) && closes(next));
}

std::optional<std::string_view> included(std::string_view line) {
  constexpr std::string_view directive = "#include ";
  if (!starts_with(line, directive))
    return std::nullopt;
  auto rest = line.substr(directive.size());
  auto close = rest.find_first_of(">\"", 1);
  if (close == std::string_view::npos)
    return std::nullopt;
  return rest.substr(1, close - 1);
}

/// The libraries that stay behind one wall each, and the files inside that wall.
std::optional<std::string> wall_breach(std::string_view header, std::string_view path,
                                       const place& at) {
  if (starts_with(header, "caf/") && path != "runtime/caf.hpp" && !at.bench)
    return "caf/ is included by runtime/caf.hpp only";
  if (starts_with(header, "rocksdb/") && !(at.component == "persistence" && !at.header) && !at.test)
    return "rocksdb/ is included by persistence/*.cpp only";
  bool alone = starts_with(path, "tests/store/") || starts_with(path, "tests/runtime/");
  if (alone && (starts_with(header, "rocksdb/") || starts_with(header, "holdfast/persistence/")))
    return "the tests of runtime/ and store/ are built without RocksDB, too";
  if ((ends_with(header, ".pb.h") || starts_with(header, "google/protobuf/")) &&
      !(at.component == "store" && !at.header) && !at.test)
    return "protobuf is included by store/*.cpp only";
  for (std::string_view heavy : {"absl/", "nlohmann/", "re2/", "uuid/"})
    if (starts_with(header, heavy) && at.library && at.header)
      return std::string{heavy} + " never stands in a header of the library";
  return std::nullopt;
}

/// Dependencies point one way: persistence -> store -> runtime.
std::optional<std::string> direction_breach(std::string_view header, const place& at) {
  auto level = [](std::string_view component) {
    return component == "runtime"       ? 0
           : component == "store"       ? 1
           : component == "persistence" ? 2
                                        : -1;
  };
  constexpr std::string_view prefix = "holdfast/";
  auto from = level(at.component);
  if (from < 0)
    return std::nullopt;
  auto ours = starts_with(header, prefix) ? header.substr(prefix.size()) : header;
  auto to = level(ours.substr(0, ours.find('/')));
  if (to < 0)
    return std::nullopt;
  if (to > from)
    return std::string{at.component} + " includes " + std::string{header} +
           ", which stands above it";
  if (!starts_with(header, prefix))
    return "write <holdfast/" + std::string{header} + ">, as users do";
  return std::nullopt;
}

/// A comment or a string may speak of what code must not do; blank both out.
std::string code_of(std::string_view line) {
  std::string out{line};
  bool quoted = false;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (!quoted && out.compare(i, 2, "//") == 0) {
      out.resize(i);
      break;
    }
    if (out[i] == '"')
      quoted = !quoted;
    else if (quoted && out[i] == '\\' && i + 1 < out.size())
      out[++i] = ' ';
    else if (quoted)
      out[i] = ' ';
  }
  return out;
}

void check_line(std::string_view line, std::string_view next, std::string_view path,
                const place& at, int number, std::vector<finding>& out) {
  auto report = [&](std::string what) {
    out.push_back({std::string{path}, number, std::move(what)});
  };
  if (auto breach = layout_breach(line, at))
    report(*breach);
  if (!at.cpp)
    return;
  auto code = code_of(line);
  for (auto& banned : banned_words) {
    // "TODO" and its kin live in comments.
    bool in_comment = banned.word.find_first_not_of("TODOFIXME") == std::string_view::npos;
    if (banned.applies(at) && contains(in_comment ? line : std::string_view{code}, banned.word))
      report(std::string{banned.word} + ": " + std::string{banned.why});
  }
  if (!at.rules_test && swallows_everything(code, code_of(next)))
    report("catch (...) swallows what it caught");
  if (auto header = included(line)) {
    if (auto breach = wall_breach(*header, path, at))
      report(*breach);
    if (auto breach = direction_breach(*header, at))
      report(*breach);
  }
}

} // namespace

std::string to_string(const finding& f) {
  return f.path + ":" + std::to_string(f.line) + ": " + f.what;
}

std::vector<finding> check_file(std::string_view path, std::string_view text) {
  const place at{path};
  std::vector<finding> out;
  std::vector<std::string_view> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    auto end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  for (std::size_t i = 0; i < lines.size(); ++i)
    check_line(lines[i], i + 1 < lines.size() ? lines[i + 1] : std::string_view{}, path, at,
               static_cast<int>(i) + 1, out);
  auto whole = [&](std::string what) { out.push_back({std::string{path}, 0, std::move(what)}); };
  if (!text.empty() && text.back() != '\n')
    whole("no newline at the end");
  if (at.header && std::find(lines.begin(), lines.end(), "#pragma once") == lines.end())
    whole("no #pragma once");
  const auto limit = at.header ? max_header_lines : max_source_lines;
  if (at.cpp && static_cast<int>(lines.size()) > limit)
    whole("more than " + std::to_string(limit) + " lines");
  return out;
}

} // namespace holdfast::testing
