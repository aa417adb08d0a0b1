#pragma once

#include <holdfast/store/value_view.hpp>

#include <optional>

/// The compact form of arrays and objects inside a record block. All of one machine, never on disk:
/// numbers are in native byte order. See value_codec.cpp for the grammar.
namespace holdfast::detail {

/// How deep arrays and objects may stand in one another, if nothing else is said. An array of
/// scalars has depth 1.
inline constexpr unsigned default_max_depth = 32;

/// The bytes `encode_value` writes; nothing if `v` is deeper than `max_depth`. O(size of v).
std::optional<std::size_t> encoded_size(value_view v, unsigned max_depth = default_max_depth);

/// Writes `v`, whose `encoded_size` was asked before, and returns the end of what was written.
char* encode_value(value_view v, char* out) noexcept;

/// One member of an object body: the name, then the value.
std::size_t encoded_member_size(std::string_view name, std::size_t value_size) noexcept;
char* encode_name(std::string_view name, char* out) noexcept;

/// A container's tag, size and count, to be followed by its entries: `entries` bytes of them.
inline constexpr std::size_t container_head_size = 9;
char* encode_container_head(value_kind kind, std::size_t entries, std::size_t count,
                            char* out) noexcept;

/// The value that `bytes` begin with. What stands in a block is trusted to be an encoded value; a
/// reader still never leaves the bytes, and shows null where they are malformed.
value_view decode_value(std::string_view bytes) noexcept;

/// Whether `bytes` are exactly one well-formed value of at most that depth, all texts valid UTF-8.
/// Recursion ends at `max_depth`, whatever the bytes say.
bool well_formed(std::string_view bytes, unsigned max_depth = default_max_depth) noexcept;

/// The number of entries a container's body says it has; 0 if malformed.
std::size_t encoded_count(std::string_view body) noexcept;
/// A walk over the entries of a container's body.
view_cursor encoded_entries(std::string_view body, bool named) noexcept;

/// Read one entry and move `at` behind it; false, and `at` anywhere up to `end`, if malformed.
bool read_name(const char*& at, const char* end, std::string_view& name) noexcept;
bool read_value(const char*& at, const char* end, value_view& content) noexcept;

} // namespace holdfast::detail
