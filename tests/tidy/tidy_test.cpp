#include "rules.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace holdfast::testing {
namespace {

namespace fs = std::filesystem;

/// The files that people read, relative to the top of the tree.
std::vector<std::string> tree() {
  const fs::path top = HOLDFAST_SOURCE_DIR;
  std::vector<std::string> out;
  for (auto it = fs::recursive_directory_iterator{top}; it != fs::end(it); ++it) {
    auto name = it->path().filename().string();
    if (it->is_directory() && (name == "build" || name == ".git" || name == ".cache"))
      it.disable_recursion_pending();
    static const std::vector<std::string> kinds{".hpp",   ".cpp", ".txt", ".cmake",
                                                ".proto", ".md",  ""};
    auto extension = it->path().extension().string();
    if (it->is_regular_file() && name != ".git" && name != "LICENSE" &&
        std::find(kinds.begin(), kinds.end(), extension) != kinds.end())
      out.push_back(fs::relative(it->path(), top).string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string read(const std::string& path) {
  std::ifstream in{fs::path{HOLDFAST_SOURCE_DIR} / path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

TEST(tidy, the_tree_keeps_the_house_rules) {
  auto files = tree();
  ASSERT_GT(files.size(), 20u);
  std::ostringstream breaches;
  for (auto& path : files)
    for (auto& f : check_file(path, read(path)))
      breaches << to_string(f) << '\n';
  EXPECT_EQ(breaches.str(), "");
}

struct bad_text {
  std::string_view path;
  std::string_view text;
  std::string_view what; ///< how the one finding begins
};

class tidy_rule : public ::testing::TestWithParam<bad_text> {};

TEST_P(tidy_rule, finds_a_planted_breach) {
  auto found = check_file(GetParam().path, GetParam().text);
  ASSERT_EQ(found.size(), 1u) << GetParam().text;
  EXPECT_THAT(found[0].what, ::testing::StartsWith(std::string{GetParam().what}));
}

const std::string long_line = "int x; // " + std::string(95, 'x') + "\n";
const std::string long_header = "#pragma once\n" + [] {
  std::string s;
  for (int i = 0; i < 400; ++i)
    s += "int x;\n";
  return s;
}();

INSTANTIATE_TEST_SUITE_P(
    all, tidy_rule,
    ::testing::Values(
        bad_text{"store/a.cpp", "int\tx;\n", "tab"},
        bad_text{"store/a.cpp", "int x; \n", "trailing blank"},
        bad_text{"README.md", "text \n", "trailing blank"},
        bad_text{"store/a.cpp", "int x;\r\n", "carriage return"},
        bad_text{"store/a.cpp", long_line, "longer than 100"},
        bad_text{"store/a.cpp", "int x;", "no newline"},
        bad_text{"store/a.hpp", "int x;\n", "no #pragma once"},
        bad_text{"store/a.hpp", long_header, "more than 350 lines"},
        bad_text{"store/a.cpp", "using namespace std;\n", "using namespace std;"},
        bad_text{"store/a.hpp", "#pragma once\nusing namespace foo;\n", "using namespace "},
        bad_text{"store/a.cpp", "// TODO: later\n", "TODO"},
        bad_text{"tests/a_test.cpp", "std::this_thread::sleep_for(1s);\n", "sleep_for"},
        bad_text{"store/a.cpp", "try { f(); } catch (...) {}\n", "catch (...)"},
        bad_text{"store/a.cpp", "} catch (...) {\n}\n", "catch (...)"},
        bad_text{"store/a.cpp", "std::regex r{p};\n", "std::regex"},
        bad_text{"store/a.cpp", "std::cout << 1;\n", "std::cout"},
        bad_text{"store/a.cpp", "#include <caf/actor.hpp>\n", "caf/"},
        bad_text{"store/a.cpp", "#include <rocksdb/db.h>\n", "rocksdb/"},
        bad_text{"persistence/a.hpp", "#pragma once\n#include <rocksdb/db.h>\n", "rocksdb/"},
        bad_text{"tests/store/a_test.cpp", "#include <rocksdb/db.h>\n", "the tests of"},
        bad_text{"tests/store/a_test.cpp", "#include <holdfast/persistence/rocksdb.hpp>\n",
                 "the tests of"},
        bad_text{"persistence/a.cpp", "#include <proto/log.pb.h>\n", "protobuf"},
        bad_text{"store/a.hpp", "#pragma once\n#include <proto/log.pb.h>\n", "protobuf"},
        bad_text{"store/a.hpp", "#pragma once\n#include <re2/re2.h>\n", "re2/"},
        bad_text{"store/a.hpp", "#pragma once\n#include <nlohmann/json.hpp>\n", "nlohmann/"},
        bad_text{"runtime/a.cpp", "#include <holdfast/store/store.hpp>\n", "runtime includes"},
        bad_text{"store/a.cpp", "#include <holdfast/persistence/rocksdb.hpp>\n", "store includes"},
        bad_text{"store/a.cpp", "#include \"store/b.hpp\"\n", "write <holdfast/store/b.hpp>"}),
    [](const auto& i) { return "rule_" + std::to_string(i.index); });

struct good_text {
  std::string_view path;
  std::string_view text;
};

class tidy_exemption : public ::testing::TestWithParam<good_text> {};

TEST_P(tidy_exemption, is_no_breach) {
  EXPECT_THAT(check_file(GetParam().path, GetParam().text), ::testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    all, tidy_exemption,
    ::testing::Values(good_text{"runtime/caf.hpp", "#pragma once\n#include <caf/actor.hpp>\n"},
                      good_text{"persistence/a.cpp", "#include <rocksdb/db.h>\n"},
                      good_text{"tests/persistence/a_test.cpp", "#include <rocksdb/db.h>\n"},
                      good_text{"persistence/a.cpp", "#include <holdfast/store/journal.hpp>\n"},
                      good_text{"store/a.cpp", "#include <re2/re2.h>\n#include <proto/log.pb.h>\n"},
                      good_text{"store/a.cpp", "// std::regex would overflow its stack here\n"},
                      good_text{"store/a.cpp", "auto text = \"std::regex\";\n"},
                      good_text{"store/a.cpp", "} catch (...) {\n  return current();\n}\n"},
                      good_text{"store/a.cpp", "// naïve: é counts as one column\n"},
                      good_text{"README.md", "a line of prose as long as it likes\n"}),
    [](const auto& i) { return "case_" + std::to_string(i.index); });

} // namespace
} // namespace holdfast::testing
