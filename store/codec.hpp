#pragma once

#include <holdfast/runtime/result.hpp>
#include <holdfast/store/detail/record_layout.hpp>
#include <holdfast/store/schema.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::detail::wire {
class reader;
struct kind_read;
} // namespace holdfast::detail::wire

/// The durable forms of records and schemas, as proto/record.proto and proto/schema.proto describe
/// them: bytes in, bytes out. Nothing that is read is trusted: malformed bytes are an error,
/// whatever they are, and never cost more memory than their length calls for.
namespace holdfast::codec {

/// Appends a record to `out`. About 100 ns for a small record when `out` has room; nothing but
/// `out` is allocated. Throws std::bad_alloc.
void encode(const detail::record_block& block, std::uint32_t schema_version, std::string& out);

/// Reads records of one schema, one after the other, and keeps its buffers. Not thread-safe.
class record_decoder {
public:
  /// The layout must outlive the decoder and the blocks it builds.
  explicit record_decoder(const detail::record_layout& layout);

  /// Takes a record apart, and returns the bytes of the block it makes. Fails with `corrupt`, or
  /// with `newer_format`. `bytes` must stay until `build`.
  result<std::size_t> parse(std::string_view bytes);

  /// Makes the block that was parsed last in that many bytes aligned to 16: one reference, born and
  /// dying never, no previous version.
  detail::record_block* build(void* memory) const noexcept;

  /// The schema version the record parsed last was written with. The caller compares it.
  std::uint32_t schema_version() const noexcept { return schema_version_; }

private:
  const char* read(std::string_view bytes);
  const char* read_part(detail::wire::reader& from, std::uint32_t tag);
  const char* read_field(std::string_view message);
  const char* fill(detail::slot& s, const detail::wire::kind_read& kind);
  const char* read_extra(std::string_view member);
  const char* finish();

  const detail::record_layout* layout_;
  std::vector<detail::slot> slots_; ///< offsets of texts count in `bytes_`, of others in `encoded_`
  std::string_view bytes_;
  std::string encoded_; ///< arrays and objects
  std::string extra_;   ///< members outside the schema, encoded
  std::uint32_t extra_count_ = 0;
  std::uint32_t format_ = 0;
  std::uint32_t schema_version_ = 0;
  std::uint32_t version_ = 0;
  std::uint64_t row_ = 0;
  std::int64_t created_at_ = 0;
  std::int64_t updated_at_ = 0;
  std::int64_t expires_at_ = 0;
  std::size_t block_bytes_ = 0;
};

/// The bytes of a definition. Of a default function only its presence is kept.
std::string encode_schema(const schema& definition);

/// The definition back, not compiled. A default function whose presence was kept throws when
/// called. Fails with `corrupt` or `newer_format`.
result<schema> decode_schema(std::string_view bytes);

} // namespace holdfast::codec
