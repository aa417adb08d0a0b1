#include <holdfast/store/codec.hpp>

#include <holdfast/store/detail/codec_value.hpp>
#include <holdfast/store/detail/codec_wire.hpp>
#include <holdfast/store/detail/formats.hpp>
#include <holdfast/store/detail/index_key.hpp>
#include <holdfast/store/detail/validation_build.hpp>
#include <holdfast/store/detail/validation_rules.hpp>

#include <cstring>

// Reads proto/record.proto without the generated classes, straight into the form of a record block.
// Functions return null, or why the bytes are refused.

namespace holdfast::codec {

namespace {

using detail::limits;
using detail::slot;
using detail::slot_tag;
using detail::wire::malformed;
using detail::wire::unknown_field;
namespace wire = detail::wire;

constexpr std::uint32_t known_format = 1;

bool fits(field_type type, value_kind kind) noexcept {
  switch (type) {
  case field_type::string:
    return kind == value_kind::string;
  case field_type::number:
    return kind == value_kind::integer || kind == value_kind::real;
  case field_type::integer:
  case field_type::date:
    return kind == value_kind::integer;
  case field_type::boolean:
    return kind == value_kind::boolean;
  case field_type::object:
    return kind == value_kind::object;
  case field_type::array:
    return kind == value_kind::array;
  }
  return false;
}

} // namespace

record_decoder::record_decoder(const detail::record_layout& layout)
    : layout_(&layout), slots_(layout.size()) {}

const char* record_decoder::read_field(std::string_view message) {
  wire::reader from(message);
  wire::kind_read kind;
  std::uint32_t tag = 0;
  std::uint32_t at = 0;
  if (!from.take_uint32(tag))
    return malformed;
  if (tag == wire::tag(1, wire::varint) && (!from.take_uint32(at) || !from.take_uint32(tag)))
    return malformed;
  if (auto* why = wire::read_kind(from, tag, kind))
    return why;
  if (!from.done())
    return unknown_field;
  if (at >= layout_->size() || !fits(layout_->type(at), kind.kind))
    return "a field that does not fit the schema";
  auto& s = slots_[at];
  if (s.tag != slot_tag::null)
    return "a field that is there twice";
  if (auto* why = fill(s, kind))
    return why;
  block_bytes_ += s.tag >= slot_tag::text ? s.size : 0;
  return nullptr;
}

/// Offsets are those in what was read, or in `encoded_`.
const char* record_decoder::fill(slot& s, const wire::kind_read& kind) {
  switch (kind.kind) {
  case value_kind::null:
    break;
  case value_kind::boolean:
    s.tag = slot_tag::boolean;
    s.integer = *kind.scalar.if_bool();
    break;
  case value_kind::integer:
    s.tag = slot_tag::integer;
    s.integer = *kind.scalar.if_int();
    break;
  case value_kind::real:
    s.tag = slot_tag::real;
    s.real = *kind.scalar.if_double();
    break;
  case value_kind::string:
    if (kind.message.size() <= 14) {
      s.tag = slot_tag::short_text;
      s.size8 = static_cast<std::uint8_t>(kind.message.size());
      std::memcpy(s.text(), kind.message.data(), kind.message.size());
    } else {
      s.tag = slot_tag::text;
      s.size = static_cast<std::uint32_t>(kind.message.size());
      s.offset = static_cast<std::uint64_t>(kind.message.data() - bytes_.data());
    }
    break;
  case value_kind::array:
  case value_kind::object: {
    auto begin = encoded_.size();
    if (auto* why = wire::encode_kind(kind, encoded_, limits.record.depth))
      return why;
    s.tag = kind.kind == value_kind::array ? slot_tag::array : slot_tag::object;
    s.size = static_cast<std::uint32_t>(encoded_.size() - begin);
    s.offset = begin;
    break;
  }
  }
  return nullptr;
}

const char* record_decoder::read_extra(std::string_view member) {
  if (extra_count_ == 0)
    extra_.assign(detail::container_head_size, '\0');
  ++extra_count_;
  std::string_view name;
  auto begin = extra_.size();
  if (auto* why = wire::encode_member(member, extra_, limits.record.depth, name))
    return why;
  auto content_at = begin + detail::encoded_member_size(name, 0);
  if (detail::decode_value(std::string_view(extra_).substr(content_at)).is_null())
    return "a null outside the schema";
  return layout_->find(name) == detail::record_layout::npos
             ? nullptr
             : "a field outside the schema with a name inside it";
}

/// What follows a tag of a Record.
const char* record_decoder::read_part(wire::reader& from, std::uint32_t tag) {
  bool taken = false;
  std::string_view message;
  switch (tag) {
  case wire::tag(1, wire::varint):
    taken = from.take_uint32(format_);
    break;
  case wire::tag(2, wire::varint):
    taken = from.take_uint32(schema_version_);
    break;
  case wire::tag(3, wire::varint):
    taken = from.take_varint(row_);
    break;
  case wire::tag(4, wire::varint):
    taken = from.take_uint32(version_);
    break;
  case wire::tag(5, wire::fixed64):
    taken = from.take_fixed(created_at_);
    break;
  case wire::tag(6, wire::fixed64):
    taken = from.take_fixed(updated_at_);
    break;
  case wire::tag(7, wire::fixed64):
    taken = from.take_fixed(expires_at_);
    break;
  case wire::tag(8, wire::bytes):
    return from.take_bytes(message) ? read_field(message) : malformed;
  case wire::tag(9, wire::bytes):
    return from.take_bytes(message) ? read_extra(message) : malformed;
  default:
    return format_ == known_format ? unknown_field : "no format version";
  }
  return taken ? nullptr : malformed;
}

const char* record_decoder::read(std::string_view bytes) {
  wire::reader from(bytes);
  format_ = 0;
  std::uint32_t last = 0;
  while (!from.done()) {
    std::uint32_t tag = 0;
    if (!from.take_uint32(tag))
      return malformed;
    bool repeated = tag == wire::tag(8, wire::bytes) || tag == wire::tag(9, wire::bytes);
    if (tag < last || (tag == last && !repeated))
      return "fields out of order";
    last = tag;
    if (auto* why = read_part(from, tag))
      return why;
    if (tag == wire::tag(1, wire::varint) && format_ > known_format)
      return nullptr;
  }
  return format_ == known_format ? nullptr : "no format version";
}

const char* record_decoder::finish() {
  auto& key = slots_[layout_->key_slot()];
  if (key.tag == slot_tag::null)
    return "a record without a key";
  if (version_ == 0)
    return "a record without a version";
  if (extra_count_ != 0) {
    detail::encode_container_head(value_kind::object, extra_.size() - detail::container_head_size,
                                  extra_count_, extra_.data());
    block_bytes_ += sizeof(slot) + extra_.size();
  }
  block_bytes_ += sizeof(detail::record_block) + slots_.size() * sizeof(slot);
  return block_bytes_ <= ~std::uint32_t{0} ? nullptr : "a record that is too large";
}

result<std::size_t> record_decoder::parse(std::string_view bytes) {
  auto refuse = [&](errc code, const char* why) {
    return fail(code, layout_->bucket() + ": a stored record: " + why,
                {.bucket = layout_->bucket(), .key = {}, .field = {}});
  };
  slots_.assign(layout_->size(), {});
  bytes_ = bytes;
  encoded_.clear();
  extra_.clear();
  extra_count_ = schema_version_ = version_ = 0;
  row_ = 0;
  created_at_ = updated_at_ = expires_at_ = 0;
  block_bytes_ = 0;
  wire::reader head(bytes);
  std::uint32_t tag = 0;
  std::uint32_t format = 0;
  if (head.take_uint32(tag) && tag == wire::tag(1, wire::varint) && head.take_uint32(format) &&
      format > known_format)
    return refuse(errc::newer_format, "written in a newer format");
  if (auto* why = read(bytes))
    return refuse(errc::corrupt, why);
  if (auto* why = finish())
    return refuse(errc::corrupt, why);
  return block_bytes_;
}

detail::record_block* record_decoder::build(void* memory) const noexcept {
  auto slots = slots_.size() + (extra_count_ != 0);
  auto* block = detail::begin_block(memory, block_bytes_, slots, *layout_);
  block->created_at = created_at_;
  block->updated_at = updated_at_;
  block->expires_at = expires_at_;
  block->row = row_;
  block->version = version_;
  std::memcpy(block->slots(), slots_.data(), slots_.size() * sizeof(slot));
  std::size_t used = 0;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    auto& s = block->slots()[i];
    if (s.tag < slot_tag::text)
      continue;
    auto* from = s.tag == slot_tag::text ? bytes_.data() : encoded_.data();
    std::memcpy(block->tail() + used, from + s.offset, s.size);
    s.offset = used;
    used += s.size;
  }
  if (extra_count_ != 0) {
    detail::put_extra(*block, used, extra_.size());
    std::memcpy(block->tail() + used, extra_.data(), extra_.size());
  }
  block->hash = detail::hash_of(*block, static_cast<std::uint32_t>(block->layout->key_slot()));
  return block;
}

} // namespace holdfast::codec
