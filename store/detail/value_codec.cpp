#include <holdfast/store/detail/value_codec.hpp>

#include <holdfast/store/detail/formats.hpp>

#include <cstring>

// The encoded form of a value:
//
//     value     := null | false | true | integer | real | text | container
//     null      := 00
//     false     := 01
//     true      := 02
//     integer   := 03 int64
//     real      := 04 double
//     text      := 05 length:uint32 bytes
//     array     := 06 size:uint32 body     size: bytes of the body
//     object    := 07 size:uint32 body
//     body      := count:uint32 entry*     entry: value in an array, name value in an object
//     name      := length:uint32 bytes
//
// Sizes are fixed, so that one pass writes and a reader skips a container without looking into it.

namespace holdfast::detail {

namespace {

enum tag : unsigned char { null_, false_, true_, integer_, real_, text_, array_, object_ };

template <class T>
char* put(char* out, T number) noexcept {
  std::memcpy(out, &number, sizeof number);
  return out + sizeof number;
}

template <class T>
bool take(const char*& at, const char* end, T& number) noexcept {
  if (static_cast<std::size_t>(end - at) < sizeof number)
    return false;
  std::memcpy(&number, at, sizeof number);
  at += sizeof number;
  return true;
}

bool take_sized(const char*& at, const char* end, std::string_view& bytes) noexcept {
  std::uint32_t size = 0;
  if (!take(at, end, size) || static_cast<std::size_t>(end - at) < size)
    return false;
  bytes = {at, size};
  at += size;
  return true;
}

char* put_sized(char* out, std::string_view bytes) noexcept {
  out = put(out, static_cast<std::uint32_t>(bytes.size()));
  if (!bytes.empty())
    std::memcpy(out, bytes.data(), bytes.size());
  return out + bytes.size();
}

/// The depth of an encoded container, found by walking; never beyond `limit` + 1.
unsigned depth_of(value_view v, unsigned limit) noexcept {
  if (v.kind() < value_kind::array)
    return 0;
  if (limit == 0)
    return 1;
  unsigned deepest = 0;
  for (auto item : v.items())
    deepest = std::max(deepest, depth_of(item, limit - 1));
  for (auto m : v.members())
    deepest = std::max(deepest, depth_of(m.content, limit - 1));
  return deepest + 1;
}

} // namespace

std::optional<std::size_t> encoded_size(value_view v, unsigned max_depth) {
  switch (v.kind()) {
  case value_kind::null:
  case value_kind::boolean:
    return 1;
  case value_kind::integer:
  case value_kind::real:
    return 9;
  case value_kind::string:
    return 5 + v.as_string().size();
  case value_kind::array:
  case value_kind::object:
    break;
  }
  if (max_depth == 0)
    return {};
  if (v.is_encoded()) {
    if (depth_of(v, max_depth) > max_depth)
      return {};
    return 5 + v.body().size();
  }
  auto total = container_head_size;
  for (auto item : v.items()) {
    auto size = encoded_size(item, max_depth - 1);
    if (!size)
      return {};
    total += *size;
  }
  for (auto m : v.members()) {
    auto size = encoded_size(m.content, max_depth - 1);
    if (!size)
      return {};
    total += encoded_member_size(m.name, *size);
  }
  return total;
}

std::size_t encoded_member_size(std::string_view name, std::size_t value_size) noexcept {
  return 4 + name.size() + value_size;
}

char* encode_name(std::string_view name, char* out) noexcept { return put_sized(out, name); }

char* encode_container_head(value_kind kind, std::size_t entries, std::size_t count,
                            char* out) noexcept {
  out = put(out, kind == value_kind::array ? array_ : object_);
  out = put(out, static_cast<std::uint32_t>(entries + 4));
  return put(out, static_cast<std::uint32_t>(count));
}

char* encode_value(value_view v, char* out) noexcept {
  switch (v.kind()) {
  case value_kind::null:
    return put(out, null_);
  case value_kind::boolean:
    return put(out, v.as_bool() ? true_ : false_);
  case value_kind::integer:
    return put(put(out, integer_), v.as_int());
  case value_kind::real:
    return put(put(out, real_), v.as_double());
  case value_kind::string:
    return put_sized(put(out, text_), v.as_string());
  case value_kind::array:
  case value_kind::object:
    break;
  }
  if (v.is_encoded())
    return put_sized(put(out, v.kind() == value_kind::array ? array_ : object_), v.body());
  auto* entries = out + container_head_size;
  auto* end = entries;
  for (auto item : v.items())
    end = encode_value(item, end);
  for (auto m : v.members())
    end = encode_value(m.content, encode_name(m.name, end));
  encode_container_head(v.kind(), static_cast<std::size_t>(end - entries), v.size(), out);
  return end;
}

bool read_name(const char*& at, const char* end, std::string_view& name) noexcept {
  return take_sized(at, end, name);
}

bool read_value(const char*& at, const char* end, value_view& content) noexcept {
  if (at == end)
    return false;
  auto what = static_cast<unsigned char>(*at++);
  std::int64_t integer = 0;
  double real = 0;
  std::string_view bytes;
  switch (what) {
  case null_:
    content = nullptr;
    return true;
  case false_:
  case true_:
    content = what == true_;
    return true;
  case integer_:
    if (!take(at, end, integer))
      return false;
    content = integer;
    return true;
  case real_:
    if (!take(at, end, real))
      return false;
    content = real;
    return true;
  case text_:
  case array_:
  case object_:
    if (!take_sized(at, end, bytes))
      return false;
    content =
        what == text_
            ? value_view(bytes)
            : value_view::encoded(what == array_ ? value_kind::array : value_kind::object, bytes);
    return true;
  default:
    return false;
  }
}

value_view decode_value(std::string_view bytes) noexcept {
  value_view content;
  auto* at = bytes.data();
  return read_value(at, at + bytes.size(), content) ? content : value_view();
}

std::size_t encoded_count(std::string_view body) noexcept {
  std::uint32_t count = 0;
  auto* at = body.data();
  // Every entry takes a byte at least, so no count can call for more memory than there are bytes.
  return take(at, at + body.size(), count) && count <= body.size() - sizeof count ? count : 0;
}

view_cursor encoded_entries(std::string_view body, bool named) noexcept {
  auto count = encoded_count(body);
  auto* entries = body.data() + (count == 0 ? 0 : sizeof(std::uint32_t));
  return {entries, body.data() + body.size(), count, named};
}

namespace {

bool well_formed_value(const char*& at, const char* end, unsigned max_depth) noexcept {
  value_view v;
  if (!read_value(at, end, v))
    return false;
  if (v.is_string())
    return is_utf8(v.as_string());
  if (v.kind() < value_kind::array)
    return true;
  if (max_depth == 0 || v.body().size() < 4)
    return false;
  auto* inner = v.body().data() + 4;
  auto* inner_end = v.body().data() + v.body().size();
  std::uint32_t left = 0;
  std::memcpy(&left, v.body().data(), sizeof left);
  for (; left > 0; --left) {
    std::string_view name;
    if (v.kind() == value_kind::object && (!read_name(inner, inner_end, name) || !is_utf8(name)))
      return false;
    if (!well_formed_value(inner, inner_end, max_depth - 1))
      return false;
  }
  return inner == inner_end;
}

} // namespace

bool well_formed(std::string_view bytes, unsigned max_depth) noexcept {
  auto* at = bytes.data();
  auto* end = at + bytes.size();
  return well_formed_value(at, end, max_depth) && at == end;
}

} // namespace holdfast::detail
