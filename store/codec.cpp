#include <holdfast/store/codec.hpp>

#include <holdfast/store/detail/codec_wire.hpp>

#include <algorithm>

// Writes what the classes generated from proto/record.proto would write, byte for byte, without
// making such objects: fields in the order of their numbers, scalars of a message only if not zero,
// members of a oneof always.

namespace holdfast::codec {

namespace {

using detail::slot_tag;
namespace wire = detail::wire;

constexpr std::uint32_t format = 1;

std::size_t sized(std::size_t size) noexcept { return wire::varint_size(size) + size; }

std::size_t kind_size(value_view v) noexcept;

std::size_t member_size(member_view m) noexcept {
  return (m.name.empty() ? 0 : 1 + sized(m.name.size())) + 1 + sized(kind_size(m.content));
}

/// The size of an Array or Object message. Walks the whole value, once for each level it is deep.
std::size_t entries_size(value_view v) noexcept {
  std::size_t total = 0;
  for (auto item : v.items())
    total += 1 + sized(kind_size(item));
  for (auto m : v.members())
    total += 1 + sized(member_size(m));
  return total;
}

/// The size of the `kind` of a Field or Value message.
std::size_t kind_size(value_view v) noexcept {
  switch (v.kind()) {
  case value_kind::null:
    return 0;
  case value_kind::boolean:
    return 2;
  case value_kind::integer:
    return 1 + wire::varint_size(wire::zigzag(*v.if_int()));
  case value_kind::real:
    return 9;
  case value_kind::string:
    return 1 + sized(v.if_string()->size());
  case value_kind::array:
  case value_kind::object:
    return 1 + sized(entries_size(v));
  }
  return 0;
}

char* put_kind(char* out, value_view v) noexcept;

char* put_value(char* out, std::uint32_t field, value_view v) noexcept {
  out = wire::put_varint(out, wire::tag(field, wire::bytes));
  return put_kind(wire::put_varint(out, kind_size(v)), v);
}

char* put_member(char* out, std::uint32_t field, member_view m) noexcept {
  out = wire::put_varint(out, wire::tag(field, wire::bytes));
  out = wire::put_varint(out, member_size(m));
  if (!m.name.empty())
    out = wire::put_bytes(wire::put_varint(out, wire::tag(1, wire::bytes)), m.name);
  return put_value(out, 2, m.content);
}

char* put_entries(char* out, value_view v) noexcept {
  for (auto item : v.items())
    out = put_value(out, 1, item);
  for (auto m : v.members())
    out = put_member(out, 1, m);
  return out;
}

char* put_kind(char* out, value_view v) noexcept {
  switch (v.kind()) {
  case value_kind::null:
    return out;
  case value_kind::boolean:
    *out++ = static_cast<char>(wire::tag(2, wire::varint));
    *out++ = *v.if_bool() ? 1 : 0;
    return out;
  case value_kind::integer:
    *out++ = static_cast<char>(wire::tag(3, wire::varint));
    return wire::put_varint(out, wire::zigzag(*v.if_int()));
  case value_kind::real:
    *out++ = static_cast<char>(wire::tag(4, wire::fixed64));
    return wire::put_fixed(out, *v.if_double());
  case value_kind::string:
    *out++ = static_cast<char>(wire::tag(5, wire::bytes));
    return wire::put_bytes(out, *v.if_string());
  case value_kind::array:
  case value_kind::object:
    *out++ = static_cast<char>(wire::tag(v.kind() == value_kind::array ? 6 : 7, wire::bytes));
    return put_entries(wire::put_varint(out, entries_size(v)), v);
  }
  return out;
}

char* put_number(char* out, std::uint32_t field, std::uint64_t n) noexcept {
  if (n == 0)
    return out;
  return wire::put_varint(wire::put_varint(out, wire::tag(field, wire::varint)), n);
}

char* put_time(char* out, std::uint32_t field, std::int64_t us) noexcept {
  if (us == 0)
    return out;
  return wire::put_fixed(wire::put_varint(out, wire::tag(field, wire::fixed64)), us);
}

char* put_field(char* out, std::size_t slot, value_view v) noexcept {
  auto slot_size = slot == 0 ? 0 : 1 + wire::varint_size(slot);
  *out++ = static_cast<char>(wire::tag(8, wire::bytes));
  out = wire::put_varint(out, slot_size + kind_size(v));
  return put_kind(put_number(out, 1, slot), v);
}

/// At least the bytes that `block` takes: what a varint and a tag may need at most, plus the texts.
std::size_t size_bound(const detail::record_block& block) noexcept {
  constexpr std::size_t head = 64;
  constexpr std::size_t per_field = 40;
  auto bound = head + per_field * block.slot_count + block.bytes;
  for (std::size_t i = 0; i < block.slot_count; ++i)
    if (block.slots()[i].tag >= slot_tag::array)
      bound += kind_size(detail::view_of(block, i));
  for (auto m : detail::extra_of(block).members())
    bound += 8 + member_size(m);
  return bound;
}

} // namespace

void encode(const detail::record_block& block, std::uint32_t schema_version, std::string& out) {
  auto begin = out.size();
  out.resize(begin + size_bound(block));
  auto* at = out.data() + begin;
  at = put_number(at, 1, format);
  at = put_number(at, 2, schema_version);
  at = put_number(at, 3, block.row);
  at = put_number(at, 4, block.version);
  at = put_time(at, 5, block.created_at);
  at = put_time(at, 6, block.updated_at);
  at = put_time(at, 7, block.expires_at);
  for (std::size_t i = 0, n = block.layout->size(); i < n; ++i)
    if (block.slots()[i].tag != slot_tag::null)
      at = put_field(at, i, detail::view_of(block, i));
  for (auto m : detail::extra_of(block).members())
    at = put_member(at, 9, m);
  out.resize(static_cast<std::size_t>(at - out.data()));
}

} // namespace holdfast::codec
