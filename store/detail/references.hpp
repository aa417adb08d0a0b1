#pragma once

#include <holdfast/runtime/error.hpp>
#include <holdfast/runtime/ref.hpp>
#include <holdfast/runtime/time_limit.hpp>
#include <holdfast/store/detail/index_key.hpp>
#include <holdfast/store/schema.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace holdfast::detail {

class bucket_core;

/// A field of a bucket that holds keys of another one, or of its own.
struct outgoing_reference {
  std::uint32_t slot = 0;
  std::string bucket; ///< the other bucket's name
  on_delete what = on_delete::restrict;
  bucket_core* target = nullptr; ///< null while no bucket of that name is defined

  /// What a record refers to by it; null also in records from before there was the field.
  key_view key_in(const record_block& source) const noexcept;
};

/// The same field as the other bucket sees it.
struct incoming_reference {
  bucket_core* source = nullptr;
  std::uint32_t slot = 0;
  on_delete what = on_delete::restrict;

  /// The records that refer to a key, by the source's indexes as they are now: none as long as the
  /// definition that brings the field is on its way.
  void find(const key_view& key, std::vector<record_block*>& out) const;
};

/// How one bucket hangs together with others. Immutable.
///
/// Changed only by who has the turns of all members, old and new, so that a commit that has them
/// sees the same links throughout. They hold their members: a bucket that goes is unlinked, and so
/// are all when the store ends.
struct reference_links {
  /// What a write to the bucket may reach, in order of ids; the bucket itself among them: those
  /// that it refers to, and all that refer to it, directly or by others.
  std::vector<bucket_core*> members;
  std::vector<ref<bucket_core>> held; ///< the same, and those of `capped_beyond`
  /// With a capacity: those whose records its own may keep by way of others that would go with
  /// them, as its targets refer to them and cascade, or refer to others that do, and so on.
  std::vector<bucket_core*> capped_beyond;
  std::vector<outgoing_reference> outgoing;
  std::vector<incoming_reference> incoming;
};

/// Why a field of that definition cannot refer to a bucket, or one of another bucket to it: it is
/// not of the type of the other's key.
std::optional<error> check_key_types(std::span<bucket_core* const> all, const schema& definition);
/// Why a bucket of that definition, kept in the journal or not, cannot be linked with the others: a
/// bucket that is kept and one that is not cannot refer to one another, for a restart would leave
/// one side only.
std::optional<error> check_lines(std::span<bucket_core* const> all, const schema& definition,
                                 bool durable);

/// A definition on its way to a bucket, which has its fields and perhaps more. Its references are
/// linked before it is in force, so that there is no moment at which they are not looked after.
struct coming_definition {
  ref<bucket_core> of; ///< null: none is on its way
  std::shared_ptr<const compiled_schema> next;
};

/// Links the buckets of a store with one another, by their schemas; buckets without references get
/// none. Takes turns; not inside a job.
void link_references(std::span<bucket_core* const> all, const coming_definition& coming);
/// The same; false, and nothing is done, if somebody had a turn until then.
[[nodiscard]] bool link_references(std::span<bucket_core* const> all,
                                   const coming_definition& coming, const time_limit& until);

/// Unlinks everything that speaks of `leaving`, which is one of `all`. Takes turns.
void unlink_references(std::span<bucket_core* const> all, const bucket_core& leaving,
                       const coming_definition& coming);
/// Unlinks all from one another. Takes turns; false, and nothing is done, if somebody had one until
/// then.
[[nodiscard]] bool unlink_references(std::span<bucket_core* const> all, const time_limit& until);

} // namespace holdfast::detail
