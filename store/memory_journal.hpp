#pragma once

#include <holdfast/store/journal.hpp>

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>

namespace holdfast {

/// What a `memory_journal` keeps its bytes on: outlives the journal, so that a second journal over
/// the same disk finds what the first one wrote. Injects faults and crashes on demand, and keeps
/// what is needed to forget the batches that were not synced. Thread-safe.
class memory_disk {
public:
  /// What became of the batch whose append fails.
  enum class fate : std::uint8_t { lost, written };

  /// The `n`-th append from here fails (1 is the next one), and its batch meets `fate`.
  void fail_append(std::uint64_t n, fate of_batch = fate::lost);
  /// The next sync fails, be it of `sync()` or of a synced append. The bytes stay unsynced.
  void fail_sync();
  /// Every `open` fails with `io` while `broken`.
  void fail_open(bool broken);

  /// Appends wait, before they write, until `release()`, which lets those that wait go on also when
  /// it is followed by another `hold()` at once.
  void hold();
  void release();
  /// Returns when an append is waiting because of `hold()`.
  void wait_until_held();

  /// The process and the machine die: of the batches not synced only the first `kept` stay, a
  /// journal that is open loses the disk (all its calls fail), and the disk can be opened again.
  void crash(std::size_t kept = 0);

  /// How many appends were begun, and how many batches are not synced.
  std::uint64_t appends() const;
  std::size_t unsynced() const;
  sequence last() const;

private:
  friend class memory_journal_adapter;
  using entries = std::map<std::string, std::string, std::less<>>;
  // How to take one batch back: the former value of every key that it touched, in reverse order.
  struct undo {
    std::vector<std::pair<std::string, std::optional<std::string>>> former;
    sequence last = 0;
    std::uint64_t chain = 0;
  };

  void apply(const journal_batch& batch, std::uint64_t chain);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  entries entries_;
  std::vector<undo> unsynced_;
  sequence last_ = 0;
  std::uint64_t chain_ = 0;
  std::uint64_t epoch_ = 0;
  bool clean_ = true;
  std::uint64_t owner_ = 0; // which open holds the disk; 0 is none
  std::uint64_t opens_ = 0;
  std::uint64_t appends_ = 0;
  std::uint64_t fail_at_ = 0; // the value of `appends_` that fails; 0 is none
  fate fate_ = fate::lost;
  bool sync_fails_ = false;
  bool open_fails_ = false;
  bool held_ = false;
  std::uint64_t releases_ = 0;
  unsigned waiting_ = 0;
};

/// A journal in memory: the same laws as on disk, where "stable storage" is `disk`. For tests, and
/// for trying a store out. Without a disk of yours it gets one of its own.
std::unique_ptr<journal> memory_journal(std::shared_ptr<memory_disk> disk = {});

} // namespace holdfast
