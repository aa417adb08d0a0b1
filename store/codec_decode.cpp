#include <holdfast/store/codec.hpp>

#include <holdfast/store/detail/codec_wire.hpp>
#include <holdfast/store/detail/formats.hpp>
#include <holdfast/store/detail/index_key.hpp>
#include <holdfast/store/detail/validation_build.hpp>
#include <holdfast/store/detail/validation_rules.hpp>

#include <cmath>

// Reads proto/record.proto without the generated classes, straight into the form of a record block.
// Functions return null, or why the bytes are refused.

namespace holdfast::codec {

namespace {

using detail::limits;
using detail::slot;
using detail::slot_tag;
namespace wire = detail::wire;

constexpr std::uint32_t known_format = 1;
constexpr const char* malformed = "malformed bytes";

/// The `kind` of a Field or Value: one scalar, or the message of an array or object.
struct kind_read {
  value_view scalar;
  value_kind kind = value_kind::null;
  std::string_view message;
};

/// Reads the member of the oneof whose tag was just taken.
const char* read_kind(wire::reader& from, std::uint32_t tag, kind_read& to) noexcept {
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
    to.scalar = wire::unzigzag(number);
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
    return detail::is_utf8(to.message) ? nullptr : "a text that is not UTF-8";
  case wire::tag(6, wire::bytes):
    to.kind = value_kind::array;
    break;
  case wire::tag(7, wire::bytes):
    to.kind = value_kind::object;
    break;
  default:
    return "an unknown field, damaged or of a newer version";
  }
  return from.take_bytes(to.message) ? nullptr : malformed;
}

const char* encode_kind(const kind_read& from, std::string& to, unsigned max_depth);

/// A Value message, appended in encoded form.
const char* encode_value_message(std::string_view message, std::string& to, unsigned max_depth) {
  wire::reader from(message);
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

/// A Member message, appended in encoded form; its name is handed back.
const char* encode_member(std::string_view message, std::string& to, unsigned max_depth,
                          std::string_view& name) {
  wire::reader from(message);
  std::uint32_t tag = 0;
  std::string_view content;
  bool named =
      !message.empty() && static_cast<unsigned char>(message[0]) == wire::tag(1, wire::bytes);
  if (named && (!from.take_uint32(tag) || !from.take_bytes(name)))
    return malformed;
  if (!from.take_uint32(tag) || tag != wire::tag(2, wire::bytes) || !from.take_bytes(content) ||
      !from.done())
    return malformed;
  if (!detail::is_utf8(name))
    return "a name that is not UTF-8";
  auto old = to.size();
  to.resize(old + detail::encoded_member_size(name, 0));
  detail::encode_name(name, to.data() + old);
  return encode_value_message(content, to, max_depth);
}

const char* encode_kind(const kind_read& from, std::string& to, unsigned max_depth) {
  auto begin = to.size();
  if (from.kind < value_kind::array) {
    to.resize(begin + *detail::encoded_size(from.scalar));
    detail::encode_value(from.scalar, to.data() + begin);
    return nullptr;
  }
  if (max_depth == 0)
    return "values nested too deep";
  to.resize(begin + detail::container_head_size);
  wire::reader entries(from.message);
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
  detail::encode_container_head(from.kind, to.size() - begin - detail::container_head_size, count,
                                to.data() + begin);
  return nullptr;
}

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
  kind_read kind;
  std::uint32_t tag = 0;
  std::uint32_t at = 0;
  if (!from.take_uint32(tag))
    return malformed;
  if (tag == wire::tag(1, wire::varint) && (!from.take_uint32(at) || !from.take_uint32(tag)))
    return malformed;
  if (auto* why = read_kind(from, tag, kind))
    return why;
  if (!from.done())
    return "an unknown field, damaged or of a newer version";
  if (at >= layout_->size() || !fits(layout_->type(at), kind.kind))
    return "a field that does not fit the schema";
  auto& s = slots_[at];
  if (s.tag != slot_tag::null)
    return "a field that is there twice";
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
    if (auto* why = encode_kind(kind, encoded_, limits.record.depth))
      return why;
    s.tag = kind.kind == value_kind::array ? slot_tag::array : slot_tag::object;
    s.size = static_cast<std::uint32_t>(encoded_.size() - begin);
    s.offset = begin;
    break;
  }
  }
  block_bytes_ += s.tag >= slot_tag::text ? s.size : 0;
  return nullptr;
}

const char* record_decoder::read_extra(std::string_view member) {
  if (extra_count_ == 0)
    extra_.assign(detail::container_head_size, '\0');
  ++extra_count_;
  std::string_view name;
  auto begin = extra_.size();
  if (auto* why = encode_member(member, extra_, limits.record.depth, name))
    return why;
  auto content_at = begin + detail::encoded_member_size(name, 0);
  if (detail::decode_value(std::string_view(extra_).substr(content_at)).is_null())
    return "a null outside the schema";
  return layout_->find(name) == detail::record_layout::npos
             ? nullptr
             : "a field outside the schema with a name inside it";
}

const char* record_decoder::read(std::string_view bytes) {
  wire::reader from(bytes);
  std::uint32_t format = 0;
  std::uint32_t last = 0;
  while (!from.done()) {
    std::uint32_t tag = 0;
    std::string_view message;
    if (!from.take_uint32(tag))
      return malformed;
    bool repeated = tag == wire::tag(8, wire::bytes) || tag == wire::tag(9, wire::bytes);
    if (tag < last || (tag == last && !repeated))
      return "fields out of order";
    last = tag;
    bool taken = true;
    switch (tag) {
    case wire::tag(1, wire::varint):
      taken = from.take_uint32(format);
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
    case wire::tag(9, wire::bytes): {
      if (!from.take_bytes(message))
        return malformed;
      auto* why = tag == wire::tag(8, wire::bytes) ? read_field(message) : read_extra(message);
      if (why)
        return why;
      break;
    }
    default:
      return format == known_format ? "an unknown field, damaged or of a newer version"
                                    : "no format version";
    }
    if (!taken)
      return malformed;
    if (tag == wire::tag(1, wire::varint) && format > known_format)
      return nullptr;
  }
  return format == known_format ? nullptr : "no format version";
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
