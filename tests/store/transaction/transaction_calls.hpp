#pragma once

#include <holdfast/store/store.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

// What there is to be called of a bucket's handle, as a table: for tests that go through all of it.

namespace holdfast::testing::hotel {

struct guest {
  std::string name;
  std::int64_t age = 0;
  std::optional<std::string> room;
};

} // namespace holdfast::testing::hotel

template <>
inline constexpr auto holdfast::mapping<holdfast::testing::hotel::guest> =
    holdfast::map_to<holdfast::testing::hotel::guest>(
        "guests", holdfast::key<&holdfast::testing::hotel::guest::name>(),
        holdfast::field<&holdfast::testing::hotel::guest::age>(holdfast::indexed),
        holdfast::field<&holdfast::testing::hotel::guest::room>());

namespace holdfast::testing::hotel {

/// Makes a call by one of the two handles of a bucket, and tells the answer as text.
struct call {
  std::string name;
  std::function<std::string(const bucket<>&, const bucket<guest>&)> make;
};

/// By handles of records and of structs. They know of Ann, 30, in room 1; Bob, 20, in room 2; Cy,
/// 10; and of Old, who has expired.
std::vector<call> writes();
std::vector<call> reads();

} // namespace holdfast::testing::hotel
