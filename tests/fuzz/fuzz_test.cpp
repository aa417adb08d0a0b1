// Every reader of foreign bytes, on inputs made from good ones: the same each time. HOLDFAST_FUZZ=n
// makes n of each; `tests/fuzz/run` looks for new paths through the code instead.
#include "fuzz_target.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <iomanip>
#include <iterator>
#include <sstream>

namespace holdfast::testing {

namespace {

std::size_t inputs_per_target() {
  const char* asked = std::getenv("HOLDFAST_FUZZ");
  return asked ? std::stoul(asked) : 5000;
}

std::string shown_bytes(std::string_view bytes) {
  std::ostringstream out;
  for (const unsigned char c : bytes)
    if (c >= ' ' && c < 127 && c != '\\')
      out << c;
    else
      out << "\\x" << std::hex << std::setw(2) << std::setfill('0') << unsigned{c};
  return std::move(out).str();
}

/// What is wrong with what the target makes of these bytes; nothing if all is well.
std::string fault_of(const fuzz_target& target, std::string_view bytes) {
  try {
    target.run(bytes);
    return {};
  } catch (const std::exception& e) {
    return std::string{e.what()} + ": " + shown_bytes(bytes);
  }
}

std::string first_fault(const fuzz_target& target, std::size_t inputs) {
  mutator make{target.seeds(), 1};
  std::string fault;
  for (std::size_t i = 0; i < inputs && fault.empty(); ++i)
    fault = fault_of(target, make.next());
  return fault;
}

class a_reader_of_foreign_bytes : public ::testing::TestWithParam<fuzz_target> {};

TEST_P(a_reader_of_foreign_bytes, understands_what_is_well_formed) {
  for (auto& seed : GetParam().seeds())
    EXPECT_EQ(fault_of(GetParam(), seed), "");
}

TEST_P(a_reader_of_foreign_bytes, keeps_its_laws_whatever_they_are) {
  EXPECT_EQ(first_fault(GetParam(), inputs_per_target()), "");
}

INSTANTIATE_TEST_SUITE_P(all, a_reader_of_foreign_bytes, ::testing::ValuesIn(fuzz_targets()),
                         [](const auto& of) { return std::string{of.param.name}; });

TEST(fuzzing, finds_a_planted_fault) {
  const fuzz_target planted{"planted",
                            [](std::string_view bytes) {
                              hold(bytes.size() < 3 || bytes[1] != '\xff', "a planted fault");
                            },
                            [] {
                              return std::vector<std::string>{"abcd", "efgh"};
                            }};
  EXPECT_THAT(first_fault(planted, 5000), ::testing::StartsWith("a planted fault: "));
}

TEST(fuzzing, makes_the_same_inputs_again) {
  mutator first{{"abcd", "efgh"}, 7};
  mutator second{{"abcd", "efgh"}, 7};
  for (int i = 0; i < 1000; ++i)
    ASSERT_EQ(first.next(), second.next());
}

} // namespace
} // namespace holdfast::testing
