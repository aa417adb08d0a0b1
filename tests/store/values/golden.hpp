#pragma once

#include <holdfast/store/schema.hpp>

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

namespace holdfast::testing {

/// The bytes of a golden file.
inline std::string golden(const std::string& name) {
  std::ifstream in(std::string{HOLDFAST_GOLDEN_DIR "/"} + name, std::ios::binary);
  EXPECT_TRUE(in) << name;
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A field of every type.
inline schema everything() {
  return schema("everything")
      .key("id", string())
      .field("text", string())
      .field("number", number())
      .field("integer", integer())
      .field("flag", boolean())
      .field("object", object_of())
      .field("list", array_of())
      .field("born", date());
}

} // namespace holdfast::testing
