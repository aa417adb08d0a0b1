#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

/// What reads bytes that nobody vouches for, each as a function of any bytes whatever.
namespace holdfast::testing {

/// A law that some bytes broke. A crash, a hang or a sanitizer's report says more by itself.
class broken_law : public std::logic_error {
public:
  using std::logic_error::logic_error;
};
inline void hold(bool law, const char* what) {
  if (!law)
    throw broken_law{what};
}

struct fuzz_target {
  std::string_view name;
  /// Reads the bytes and checks the laws. Throws `broken_law`.
  void (*run)(std::string_view bytes);
  /// Well-formed inputs to begin with.
  std::vector<std::string> (*seeds)();
};

std::span<const fuzz_target> text_targets();
std::span<const fuzz_target> binary_targets();
std::span<const fuzz_target> file_targets(); ///< of persistence; none when it is not built
/// All of these.
std::vector<fuzz_target> fuzz_targets();

/// Inputs made from others by cutting, copying, exchanging and flipping; the same for one seed.
class mutator {
public:
  explicit mutator(std::vector<std::string> inputs, std::uint64_t seed);
  /// At most 4096 bytes. Now and then it is kept, and changed further in later ones.
  std::string next();

private:
  std::size_t below(std::size_t n) noexcept;
  void change(std::string& bytes);

  std::vector<std::string> inputs_;
  std::size_t seeds_;
  std::uint64_t state_;
};

} // namespace holdfast::testing
