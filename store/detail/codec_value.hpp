#pragma once

#include <holdfast/store/detail/codec_wire.hpp>
#include <holdfast/store/value_view.hpp>

#include <cstdint>
#include <string>
#include <string_view>

/// Reads the values of proto/record.proto into the encoded form that a record block keeps.
/// Functions return null, or why the bytes are refused.
namespace holdfast::detail::wire {

inline constexpr const char* malformed = "malformed bytes";
inline constexpr const char* unknown_field = "an unknown field, damaged or of a newer version";

/// The `kind` of a Field or Value: one scalar, or the message of an array or object.
struct kind_read {
  value_view scalar;
  value_kind kind = value_kind::null;
  std::string_view message;
};

/// Reads the member of the oneof whose tag was just taken.
const char* read_kind(reader& from, std::uint32_t tag, kind_read& to) noexcept;

/// Appends the value in encoded form; arrays and objects in one another at most so deep.
const char* encode_kind(const kind_read& from, std::string& to, unsigned max_depth);

/// A Member message, appended in encoded form; its name is handed back.
const char* encode_member(std::string_view message, std::string& to, unsigned max_depth,
                          std::string_view& name);

} // namespace holdfast::detail::wire
