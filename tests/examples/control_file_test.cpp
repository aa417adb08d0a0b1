#include <examples/package_index/control_file.hpp>

#include <gmock/gmock.h>

namespace package_index {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Everything there is to say about a text, on one line: paragraphs in [], then the broken lines.
std::string read(std::string_view text) {
  control_reader reader{text};
  std::string out;
  while (auto p = reader.next()) {
    out += '[';
    for (auto& f : p->fields)
      out += std::string{f.name} + '=' + f.value + ';';
    out += ']';
  }
  for (auto& b : reader.broken())
    out += " " + std::to_string(b.line) + ": " + b.what + ".";
  return out;
}

struct text_case {
  std::string_view text;
  std::string_view reads_as;
};

class control_text : public ::testing::TestWithParam<text_case> {};

TEST_P(control_text, reads_as_expected) {
  EXPECT_EQ(read(GetParam().text), GetParam().reads_as) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    whole, control_text,
    ::testing::Values(
        text_case{"", ""}, text_case{"\n\n\n", ""}, text_case{"A: 1\nB: 2\n", "[A=1;B=2;]"},
        text_case{"A: 1\n\nA: 2\n", "[A=1;][A=2;]"},
        text_case{"A: 1\n \t \n\n\nA: 2", "[A=1;][A=2;]"}, text_case{"\n\nA: 1", "[A=1;]"},
        text_case{"A:1\r\nB:2\r\n", "[A=1;B=2;]"}, text_case{"A: x: y\n", "[A=x: y;]"},
        text_case{"A:\n", "[A=;]"}, text_case{"A:\n one\n\ttwo\nB: 3\n", "[A=\none\ntwo;B=3;]"},
        text_case{"# note\nA: 1\n# note\nB: 2\n", "[A=1;B=2;]"},
        text_case{"A: na\xc3\xafve \xf0\x9f\x93\xa6\n", "[A=na\xc3\xafve \xf0\x9f\x93\xa6;]"}));

INSTANTIATE_TEST_SUITE_P(
    broken, control_text,
    ::testing::Values(
        text_case{"A: 1\ngarbage\nB: 2\n", "[A=1;B=2;] 2: no ':' in 'garbage'."},
        text_case{" x\nA: 1\n", "[A=1;] 1: continues nothing: ' x'."},
        text_case{"A: 1\n\n x\n", "[A=1;] 3: continues nothing: ' x'."},
        text_case{
            "A: 1\nbad\n more\n more\nB: 2\n",
            "[A=1;B=2;] 2: no ':' in 'bad'. 3: continues a broken line. 4: continues a broken "
            "line."},
        text_case{": 1\n", " 1: not a field name: ''."},
        text_case{"-A: 1\n", " 1: not a field name: '-A'."},
        text_case{"A b: 1\n", " 1: not a field name: 'A b'."},
        text_case{"A: 1\na: 2\n", "[A=1;] 2: field a is there already."},
        text_case{"A: \x01\n", " 1: not UTF-8 text: 'A: .'."},
        text_case{"A: \xff\xfe\n", " 1: not UTF-8 text: 'A: ..'."},
        text_case{"A: \xc3\n", " 1: not UTF-8 text: 'A: .'."},
        text_case{"A: \xed\xa0\x80\n", " 1: not UTF-8 text: 'A: ...'."},
        text_case{"A: \xc0\x80\n", " 1: not UTF-8 text: 'A: ..'."},
        text_case{std::string_view{"A: 1\0\n", 6}, " 1: not UTF-8 text: 'A: 1.'."},
        text_case{"\x1b[31mred\n", " 1: no ':' in '.[31mred'."},
        text_case{"only garbage\nand more\n",
                  " 1: no ':' in 'only garbage'. 2: no ':' in 'and more'."}));

TEST(control_text, refuses_a_line_without_end) {
  std::string text = "A: 1\nB: " + std::string(std::size_t{2} << 20, 'x') + "\nC: 3\n";
  EXPECT_EQ(read(text), "[A=1;C=3;] 2: longer than 1048576 bytes.");
}

TEST(control_text, bounds_a_value_of_many_lines) {
  std::string text = "A:";
  for (int i = 0; i < 3000; ++i)
    text += "\n " + std::string(1000, 'x');
  control_reader reader{text};
  auto p = reader.next();
  ASSERT_TRUE(p);
  EXPECT_LE(p->fields[0].value.size(), std::size_t{1} << 20);
  EXPECT_FALSE(reader.broken().empty());
}

/// The package of the first paragraph; its broken lines go to `broken`.
std::optional<package> first_package(std::string_view text, std::vector<broken_line>& broken) {
  control_reader reader{text};
  auto p = reader.next();
  auto out = p ? package_of(*p, reader) : std::nullopt;
  broken = reader.broken();
  return out;
}

TEST(package, is_made_of_its_fields) {
  std::vector<broken_line> broken;
  auto p = first_package("Package: hello\nVersion: 2.10-3\nSection: devel\nInstalled-Size: 280\n"
                         "Maintainer: Ann <ann@example.org>\nDescription: says hello\n more\n"
                         "Depends: libc6 (>= 2.34), a | b,\n c:any [amd64]\n",
                         broken);
  ASSERT_TRUE(p);
  EXPECT_EQ(p->name, "hello");
  EXPECT_EQ(p->version, "2.10-3");
  EXPECT_EQ(p->section, "devel");
  EXPECT_EQ(p->maintainer, "Ann <ann@example.org>");
  EXPECT_EQ(p->summary, "says hello");
  EXPECT_EQ(p->installed_size, 280);
  EXPECT_THAT(p->depends, ElementsAre("libc6", "a", "c"));
  EXPECT_THAT(broken, IsEmpty());
}

TEST(package, needs_a_name_and_a_version) {
  std::vector<broken_line> broken;
  EXPECT_FALSE(first_package("\nVersion: 1\nSection: x\n", broken));
  EXPECT_THAT(broken, ElementsAre(broken_line{2, "a paragraph without Package"}));
  EXPECT_FALSE(first_package("Package: a\n", broken));
  EXPECT_THAT(broken, ElementsAre(broken_line{1, "package a without Version"}));
}

TEST(package, lives_on_without_a_size_that_is_no_number) {
  for (auto* size : {"many", "-1", "12k", "99999999999999999999", "1 2"}) {
    std::vector<broken_line> broken;
    auto text = std::string{"Package: a\nVersion: 1\nInstalled-Size: "} + size + "\n";
    auto p = first_package(text, broken);
    ASSERT_TRUE(p) << size;
    EXPECT_FALSE(p->installed_size) << size;
    ASSERT_EQ(broken.size(), 1u) << size;
    EXPECT_EQ(broken[0].line, 3u);
  }
}

} // namespace
} // namespace package_index
