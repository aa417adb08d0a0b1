#include <holdfast/store/detail/commit_journal.hpp>

#include <holdfast/store/codec.hpp>
#include <holdfast/store/detail/journal_keys.hpp>

#include <string>

namespace holdfast::detail {
namespace {

std::string record_key(const bucket_core& b, const record_block& block) {
  const auto key = key_view::of(block, b.key_slot());
  return key.tag == slot_tag::integer ? integer_key(b.id(), key.integer)
                                      : text_key(b.id(), key.text);
}

void put_number(bucket_core& b, sealed_commit& into, char space, std::uint64_t n) {
  std::string bytes;
  append_big_endian(bytes, n, 8);
  into.put(bucket_prefix(space, b.id()), bytes);
}

/// The record of a row goes.
void put_given(bucket_core& b, sealed_commit& into, std::uint64_t row) {
  if (b.given().covers(row)) [[likely]]
    return;
  const auto next = b.data().next_row();
  b.given().propose(next);
  put_number(b, into, 'r', next);
}

} // namespace

void put_record(bucket_core& b, sealed_commit& into, const record_block& block) {
  if (!b.durable())
    return;
  into.begin_put(record_key(b, block));
  codec::encode(block, 1, into.bytes());
  into.end_put();
}

void put_erased(bucket_core& b, sealed_commit& into, const record_block& block) {
  if (!b.durable())
    return;
  into.erase(record_key(b, block));
  put_given(b, into, block.row);
}

void put_cleared(bucket_core& b, sealed_commit& into) {
  if (!b.durable())
    return;
  into.erase_range(bucket_prefix('s', b.id()), bucket_prefix('s', b.id() + 1));
  if (const auto next = b.data().next_row(); next > 0)
    put_given(b, into, next - 1);
}

void put_counter(bucket_core& b, sealed_commit& into) {
  if (b.durable() && b.made().proposed() != b.made().counter())
    put_number(b, into, 'n', static_cast<std::uint64_t>(b.made().proposed()));
}

} // namespace holdfast::detail
