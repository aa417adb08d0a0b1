// What a transaction made, as edits of its commit.
#include <holdfast/store/detail/commit_scope.hpp>

#include <holdfast/runtime/fault.hpp>
#include <holdfast/store/detail/validation_build.hpp>
#include <holdfast/store/detail/write_checks.hpp>
#include <holdfast/store/detail/write_errors.hpp>

namespace holdfast::detail {

/// A block of the bucket's own with the content of one that was built elsewhere.
record_block* commit_scope::copy(bucket_core& b, const record_block& made) {
  return copy_block(b.data().memory().allocate(made.bytes), made);
}

/// Into the journal, and to be checked when all is there.
void commit_scope::put_made(bucket_core& b, record_block& block) {
  put_stored(b, block);
  made_.emplace_back(&b, &block);
}

void commit_scope::insert(bucket_core& b, const record_block& made) {
  touch(b);
  auto* block = copy(b, made);
  b.data().insert(block);
  fault_point("bucket.inserted");
  put_made(b, *block);
  note(b, change_kind::inserted, why_, nullptr, block);
}

void commit_scope::replace(bucket_core& b, record_block& old, const record_block& made) {
  touch(b);
  if (auto* keeper = b.evictor()) [[unlikely]]
    keeper->mark(old.row);
  auto* block = copy(b, made);
  b.data().replace(&old, block);
  if (linked_) [[unlikely]]
    release_kept(b, old);
  fault_point("bucket.replaced");
  put_made(b, *block);
  note(b, change_kind::updated, why_, &old, block);
}

void commit_scope::erase_later(bucket_core& b, record_block& old) {
  erase_one(b, old, has_expired(old) ? cause::ttl : why_);
}

/// Frees the unique values of a transaction's records; fails at the first that another one has.
result<void> commit_scope::settle_clashes() {
  for (auto& [b, block] : made_) {
    auto& indexes = b->schema().indexes();
    for (std::size_t i = 0; i < indexes.size(); ++i) {
      if (indexes[i].type != index_type::unique)
        continue;
      auto slot = static_cast<std::uint32_t>(indexes[i].slot);
      auto v = key_view::of(*block, slot);
      if (v.tag == slot_tag::null)
        continue;
      while (block->death.load(std::memory_order_relaxed) == never) {
        auto* other = b->data().unique_head(i, v, block);
        if (!other)
          break;
        if (has_expired(*other) && !is_kept(*b, *other)) {
          if (auto gone = erase(*b, *other, cause::ttl); !gone)
            return gone;
          continue;
        }
        clash_in_ = b;
        // What this commit made of it is no other commit's doing.
        const auto* before = as_it_was(other);
        clash_born_ = before ? before->birth.load(std::memory_order_relaxed) : 0;
        // Nothing else says which of the transaction's records it is.
        return fail(taken(*b, b->schema(), slot, view_of(*block, slot))
                        .at({.key = key_of(*block).to_string()}));
      }
    }
  }
  return {};
}

} // namespace holdfast::detail
