#include <holdfast/store/detail/codec_value.hpp>

#include <holdfast/store/detail/formats.hpp>
#include <holdfast/store/detail/value_codec.hpp>

#include <cmath>

namespace holdfast::detail::wire {

const char* read_kind(reader& from, std::uint32_t tag, kind_read& to) noexcept {
  bool flag = false;
  std::uint64_t number = 0;
  double real = 0;
  if (to.kind != value_kind::null)
    return "a value of two kinds";
  switch (tag) {
  case wire::tag(2, wire::varint):
    to.kind = value_kind::boolean;
    if (!from.take_bool(flag))
      return malformed;
    to.scalar = flag;
    return nullptr;
  case wire::tag(3, wire::varint):
    to.kind = value_kind::integer;
    if (!from.take_varint(number))
      return malformed;
    to.scalar = unzigzag(number);
    return nullptr;
  case wire::tag(4, wire::fixed64):
    to.kind = value_kind::real;
    if (!from.take_fixed(real))
      return malformed;
    to.scalar = real;
    return std::isfinite(real) ? nullptr : "a number that is not finite";
  case wire::tag(5, wire::bytes):
    to.kind = value_kind::string;
    if (!from.take_bytes(to.message))
      return malformed;
    to.scalar = to.message;
    return is_utf8(to.message) ? nullptr : "a text that is not UTF-8";
  case wire::tag(6, wire::bytes):
    to.kind = value_kind::array;
    break;
  case wire::tag(7, wire::bytes):
    to.kind = value_kind::object;
    break;
  default:
    return unknown_field;
  }
  return from.take_bytes(to.message) ? nullptr : malformed;
}

namespace {

/// A Value message, appended in encoded form.
const char* encode_value_message(std::string_view message, std::string& to, unsigned max_depth) {
  reader from(message);
  kind_read kind;
  while (!from.done()) {
    std::uint32_t tag = 0;
    if (!from.take_uint32(tag))
      return malformed;
    if (auto* why = read_kind(from, tag, kind))
      return why;
  }
  return encode_kind(kind, to, max_depth);
}

} // namespace

const char* encode_member(std::string_view message, std::string& to, unsigned max_depth,
                          std::string_view& name) {
  reader from(message);
  std::uint32_t tag = 0;
  std::string_view content;
  bool named =
      !message.empty() && static_cast<unsigned char>(message[0]) == wire::tag(1, wire::bytes);
  if (named && (!from.take_uint32(tag) || !from.take_bytes(name)))
    return malformed;
  if (!from.take_uint32(tag) || tag != wire::tag(2, wire::bytes) || !from.take_bytes(content) ||
      !from.done())
    return malformed;
  if (!is_utf8(name))
    return "a name that is not UTF-8";
  auto old = to.size();
  to.resize(old + encoded_member_size(name, 0));
  encode_name(name, to.data() + old);
  return encode_value_message(content, to, max_depth);
}

const char* encode_kind(const kind_read& from, std::string& to, unsigned max_depth) {
  auto begin = to.size();
  if (from.kind < value_kind::array) {
    to.resize(begin + *encoded_size(from.scalar));
    encode_value(from.scalar, to.data() + begin);
    return nullptr;
  }
  if (max_depth == 0)
    return "values nested too deep";
  to.resize(begin + container_head_size);
  reader entries(from.message);
  std::size_t count = 0;
  for (; !entries.done(); ++count) {
    std::uint32_t tag = 0;
    std::string_view message;
    std::string_view name;
    if (!entries.take_uint32(tag) || tag != wire::tag(1, wire::bytes) ||
        !entries.take_bytes(message))
      return malformed;
    auto* why = from.kind == value_kind::array ? encode_value_message(message, to, max_depth - 1)
                                               : encode_member(message, to, max_depth - 1, name);
    if (why)
      return why;
  }
  encode_container_head(from.kind, to.size() - begin - container_head_size, count,
                        to.data() + begin);
  return nullptr;
}

} // namespace holdfast::detail::wire
