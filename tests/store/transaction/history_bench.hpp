#pragma once

#include "history.hpp"

#include <holdfast/store/memory_journal.hpp>

#include <memory>

namespace holdfast::testing {

/// The store that a history runs on, and its buckets.
struct bench {
  explicit bench(const history_options& o);

  std::int64_t now() const { return deadlines ? time.now().time_since_epoch().count() : 0; }
  moment published() const { return moment_of(db.snapshot()); }
  static moment moment_of(const snapshot& s) { return {s.memory_seq(), s.durable_seq()}; }
  bool durable(bool on_right) const { return persistent && !(on_right && both_lines); }
  /// Where a transaction that writes to that side notes its number: a bucket of the same line.
  const bucket<>& log_of(bool on_right) const {
    return on_right && both_lines ? log_in_memory : log;
  }
  /// What the notes of a transaction say of its commit.
  moment commit_of(std::int64_t id) const;
  /// The same of a commit of one line.
  moment place(bool on_right, sequence seq) const {
    return durable(on_right) ? moment{0, seq} : moment{seq, 0};
  }

  manual_clock time; ///< if there are deadlines
  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
  const bool persistent, both_lines, deadlines;
  store db;
  bucket<> left, right, log, log_in_memory;

private:
  store start(const history_options& o);
  bucket<> define(const schema& s) { return std::move(*db.define(s)); }
};

/// A record, or some, as the model shows them.
std::string text_of(const record& r);
std::string text_of(const records& list);

} // namespace holdfast::testing
