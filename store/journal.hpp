#pragma once

#include <holdfast/runtime/result.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

/// The place of a commit in the total order of its line; gap-free, starts at 1. 0 means "none".
using sequence = std::uint64_t;

/// Keys that begin with these bytes belong to the journal itself: an `append` that names one is
/// refused, and no `scan` visits one.
inline constexpr std::string_view journal_reserved = "\xff\xff\xff\xff\xff\xff\xff\xff";

/// One write of a commit to the journal's ordered key space. `value` is ignored by an erase.
struct journal_put {
  enum class kind : std::uint8_t { put, erase, erase_range };
  kind what = kind::put;
  std::string_view key;   ///< first key for `erase_range`
  std::string_view value; ///< first key no longer erased for `erase_range`; empty is the end
};

/// Consecutive commits, written at once: all of it or nothing survives a crash.
struct journal_batch {
  sequence first = 0;
  sequence last = 0; ///< `first <= last`; `first` is one more than the last batch's `last`
  std::span<const journal_put> puts;
};

/// What `journal::open` found.
struct journal_info {
  sequence last = 0;       ///< the newest commit that is there; 0 for a new journal
  std::uint64_t epoch = 0; ///< grows with every open for writing; persisted before it returns
  std::uint64_t chain = 0; ///< the hash chained over every batch up to `last`
  bool clean = true;       ///< the journal was new, or closed in order the last time
  /// How far it must reach by what it knows of itself: above `last` if commits are missing, which
  /// only `open_read_only` bears.
  sequence promised = 0;
};

/// Durable, ordered bytes: what the store needs of a disk. The store decides what the bytes mean.
///
/// Laws, tested over every implementation (tests/persistence/journal_laws.hpp):
///   (1) `append` is atomic and in order; a batch that does not follow the last one is refused
///       with `invalid_argument` and changes nothing, the journal stays usable;
///   (2) after `append(batch, true)` returned success, `batch` survives a crash of the process and
///       of the machine; after `append(batch, false)`, some prefix of the appended batches does;
///   (3) after any other failure of `append` or `sync` (`io`) the journal is failed: every later
///       one fails with `read_only`, nothing is retried, the failed batch may or may not be there
///       after the next `open`, and `scan` goes on serving;
///   (4) `open` reports what is missing (`data_loss`), damaged (`corrupt`), newer
///       (`newer_format`) or held by another (`locked`), names the place, says what is lost as far
///       as that can be told, and then has changed nothing;
///   (5) `scan` visits keys bytewise ascending, and may run on several threads at once while no
///       `append` runs.
/// Thread-safety: `open`, `append`, `sync`, `close` are called by one thread at a time; `scan`,
/// `split` and `durable` by any number. Before `open` and after `close` all fail with `stopped`.
class journal {
public:
  virtual ~journal() = default;

  /// Recovers, and makes ready for writing. Call before anything else, and again only after
  /// `close` (which is how a failed journal is taken up again once the disk is mended).
  virtual result<journal_info> open() = 0;

  /// `open` after a failure and `close`, for who still has all commits that were not on stable
  /// storage: only those that were must be there.
  virtual result<journal_info> open_again() { return open(); }

  using visitor = std::function<result<void>(std::string_view key, std::string_view value)>;

  /// What must be true of the entries in `[first, last)` before anything is changed.
  struct precondition {
    std::string first, last;
    visitor holds;
  };
  /// From now on `open` shows it those entries, and gives its error, having changed nothing. A few
  /// small ones: they are read twice. Adapters without files of their own may leave it out.
  virtual void open_only_if(precondition) {}

  /// Opens to be read and changes nothing, for who wants to see what a journal holds that `open`
  /// refuses for commits that are missing at its end (`data_loss`): what is there is a prefix of
  /// the commits. `append` and `sync` fail with `read_only`. Errors else as of `open`;
  /// `invalid_argument` from journals that cannot do it, or where there is none.
  virtual result<journal_info> open_read_only() {
    return fail(errc::invalid_argument, name() + ": this journal cannot be opened read-only");
  }

  /// Writes one batch; with `synced`, returns when it is on stable storage.
  virtual result<void> append(const journal_batch& batch, bool synced) = 0;

  /// Makes everything appended so far stable.
  virtual result<void> sync() = 0;

  /// Visits the entries in `[first, last)`; an empty `last` is the end. Ends early with the
  /// visitor's error.
  virtual result<void> scan(std::string_view first, std::string_view last,
                            const visitor& visit) const = 0;

  /// Keys that cut `[first, last)` into at most `parts` pieces of about equal size, ascending,
  /// excluding the ends; may be fewer, also none.
  virtual std::vector<std::string> split(std::string_view first, std::string_view last,
                                         unsigned parts) const = 0;

  /// The last batch known to be on stable storage.
  virtual sequence durable() const noexcept = 0;

  /// Flushes, records a clean end, and lets go of the files, also when it fails. A failed journal
  /// is let go of as it is, and the failure is returned. Idempotent.
  virtual result<void> close() = 0;

  /// Where this journal lives, for error texts: a directory, or "memory".
  virtual std::string name() const = 0;
};

} // namespace holdfast
