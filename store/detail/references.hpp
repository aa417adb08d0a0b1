#pragma once

#include <holdfast/runtime/error.hpp>
#include <holdfast/store/schema.hpp>

#include <cstddef>
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
  std::string bucket;            ///< the other bucket's name
  bucket_core* target = nullptr; ///< null while no bucket of that name is defined
};

/// The same field as the other bucket sees it.
struct incoming_reference {
  bucket_core* source = nullptr;
  std::uint32_t slot = 0;
  on_delete what = on_delete::restrict;

  /// Of the source's indexes as they are now, the one over the slot alone. Another definition of
  /// the source may move it before the links are made anew.
  std::size_t index() const noexcept;
};

/// How one bucket hangs together with others. Immutable.
///
/// Changed only by who has the turns of all members, old and new, so that a commit that has them
/// sees the same links throughout. A bucket is unlinked before it dies.
struct reference_links {
  /// What a write to the bucket may reach, in order of ids; the bucket itself among them: those
  /// that it refers to, and all that refer to it, directly or by others.
  std::vector<bucket_core*> members;
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

/// Links the buckets of a store with one another, by their schemas; buckets without references get
/// none. Takes turns; not inside a job.
void link_references(std::span<bucket_core* const> all);

/// Unlinks everything that speaks of `leaving`, which is one of `all`. Takes turns.
void unlink_references(std::span<bucket_core* const> all, const bucket_core& leaving);

} // namespace holdfast::detail
