#include "fuzz_target.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace holdfast::testing {

namespace {

constexpr std::size_t longest_input = 4096;
constexpr std::size_t kept_inputs = 64;

/// Bytes that mean something in one of the formats, or stand at an edge.
constexpr std::string_view edges[] = {std::string_view{"\0", 1},
                                      "\xff",
                                      "\x7f",
                                      "\x80",
                                      "\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
                                      "\xed\xa0\x80",
                                      "\xf4\x90\x80\x80",
                                      "{",
                                      "}",
                                      "[",
                                      "]",
                                      "\"",
                                      "\\",
                                      "$",
                                      ".",
                                      "*",
                                      "**",
                                      "[[[[[[[[",
                                      "{\"a\":",
                                      "null",
                                      "1e999",
                                      "-0",
                                      "9223372036854775808",
                                      "\\u0000",
                                      "\\ud800",
                                      "(",
                                      "((((a*)*)*)*)*",
                                      "{{ params.x }}"};

} // namespace

std::vector<fuzz_target> fuzz_targets() {
  std::vector<fuzz_target> all;
  for (auto some : {text_targets(), binary_targets(), file_targets()})
    all.insert(all.end(), some.begin(), some.end());
  return all;
}

mutator::mutator(std::vector<std::string> inputs, std::uint64_t seed)
    : inputs_{std::move(inputs)}, seeds_{inputs_.size()}, state_{seed * 2 + 1} {}

/// A linear congruence, its high half: good enough to choose by, and the same everywhere.
std::size_t mutator::below(std::size_t n) noexcept {
  state_ = state_ * 6364136223846793005U + 1442695040888963407U;
  return n == 0 ? 0 : static_cast<std::size_t>(state_ >> 33) % n;
}

std::string mutator::next() {
  auto bytes = inputs_[below(inputs_.size())];
  for (auto changes = 1 + below(4); changes > 0; --changes)
    change(bytes);
  bytes.resize(std::min(bytes.size(), longest_input));
  if (below(8) == 0) {
    if (inputs_.size() < seeds_ + kept_inputs)
      inputs_.push_back(bytes);
    else
      inputs_[seeds_ + below(kept_inputs)] = bytes;
  }
  return bytes;
}

void mutator::change(std::string& bytes) {
  const auto at = below(bytes.size() + 1);
  const auto length = 1 + below(below(4) == 0 ? 64 : 8);
  switch (below(8)) {
  case 0: // a bit
    if (at < bytes.size())
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
    return;
  case 1: // a byte
    if (at < bytes.size())
      bytes[at] = static_cast<char>(below(256));
    return;
  case 2:
    bytes.erase(at, length);
    return;
  case 3: // once more
    bytes.insert(at, bytes.substr(below(bytes.size() + 1), length));
    return;
  case 4: // of another input
    if (const auto& other = inputs_[below(inputs_.size())]; !other.empty())
      bytes.insert(at, other.substr(below(other.size()), length * 4));
    return;
  case 5: // the other one's end
    if (const auto& other = inputs_[below(inputs_.size())]; !other.empty())
      bytes = bytes.substr(0, at) + other.substr(below(other.size()));
    return;
  case 6:
    bytes.insert(at, edges[below(std::size(edges))]);
    return;
  default:
    bytes.resize(at);
  }
}

} // namespace holdfast::testing
