// One target under libFuzzer, chosen by HOLDFAST_FUZZ_TARGET; tests/fuzz/run calls it.
#include "fuzz_target.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>

namespace {

using namespace holdfast::testing;

fuzz_target chosen;

/// Writes the target's good inputs to the folder of HOLDFAST_FUZZ_SEEDS.
void write_seeds(const std::string& folder) {
  int number = 0;
  for (auto& seed : chosen.seeds())
    std::ofstream{folder + "/seed" + std::to_string(number++), std::ios::binary} << seed;
}

} // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* name = std::getenv("HOLDFAST_FUZZ_TARGET");
  for (auto& target : fuzz_targets()) {
    if (name == nullptr)
      std::cout << target.name << '\n';
    else if (target.name == name)
      chosen = target;
  }
  if (name == nullptr)
    std::exit(0);
  if (chosen.run == nullptr) {
    std::cerr << "holdfast_fuzz: no target " << name << '\n';
    std::exit(2);
  }
  if (const char* folder = std::getenv("HOLDFAST_FUZZ_SEEDS"))
    write_seeds(folder);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    chosen.run({reinterpret_cast<const char*>(data), size});
  } catch (const std::exception& e) {
    std::cerr << chosen.name << ": " << e.what() << '\n';
    std::abort();
  }
  return 0;
}
