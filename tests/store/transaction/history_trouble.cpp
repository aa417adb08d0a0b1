#include "history_trouble.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <thread>

namespace holdfast::testing {
namespace {

/// Of each history, so that its buckets do not grow with its length.
constexpr std::uint64_t most_redefinitions = 40;

/// Of a write, amid its edits, before its seal and behind it; of a restart. None of the disk's
/// writer: the store ends when its actor crashes too often.
constexpr std::array points{"bucket.inserted",    "bucket.replaced",    "bucket.erased",
                            "bucket.started",     "bucket.checked",     "bucket.applied",
                            "bucket.sealing",     "bucket.published",   "bucket.queued",
                            "data.row_added",     "data.key_added",     "data.unique_added",
                            "data.index_changed", "data.version_ended", "data.row_replaced",
                            "data.key_replaced",  "bucket.recovering",  "data.deadline_changed"};

} // namespace

trouble::trouble(bench& on, const history_options& options)
    : on_{on}, options_{options}, redefines_every_{std::max<std::uint64_t>(
                                      32, options.threads * options.transactions / 8)} {
  const auto leave_out = [&](const char* what) {
    planted_.emplace(what, 0, std::function<void()>{[] {}}, ~std::uint64_t{0});
  };
  if (options.bug == planted_bug::unchecked_buckets)
    leave_out("transaction.unwritten");
  else if (options.bug == planted_bug::shared_values)
    leave_out("transaction.unique_values");
  else if (options.bug == planted_bug::left_referrers)
    leave_out("commit.referrers");
  else if (options.bug == planted_bug::surviving_edits)
    leave_out("bucket.outcome");
}

void trouble::crash(std::uint64_t drawn) {
  constexpr std::array names{"left", "right", "log", "log_in_memory"};
  if (drawn % 2 == 0)
    return (void)on_.db.crash(names[drawn / 2 % names.size()]);
  if (options_.bug == planted_bug::surviving_edits)
    struck_.emplace("bucket.published");
  else
    struck_.emplace(points[drawn / 2 % points.size()], drawn / 64 % 4);
}

void trouble::redefine(std::uint64_t drawn) {
  if (redefined_ == most_redefinitions)
    return;
  const std::string field = "more_" + std::to_string(++redefined_);
  bucket_update change;
  switch (drawn % 4) {
  case 0:
    change.add_field(field, integer().otherwise(static_cast<std::int64_t>(redefined_)));
    break;
  case 1:
    change.add_field(field, string(), [](const record& old) { return value{old["tag"]}; });
    change.add_index({field, "n"});
    break;
  case 2:
    change.add_index({"tag", "n"}).add_inverted_index("list");
    break;
  default:
    change.add_index("list");
  }
  // If a fault strikes there nothing happens, as with any other write.
  (void)on_.db.update_bucket(drawn / 4 % 2 == 0 ? "left" : "right", change);
}

/// Until some commits in memory have come by, if they come: who waits for the disk is to see it
/// long before it gives up, however busy the machine is.
void trouble::hold_disk() {
  constexpr sequence enough = 20;
  constexpr int patience = 2000;
  const auto latest = std::chrono::steady_clock::now() + std::chrono::milliseconds{100};
  const auto before = on_.published().memory;
  on_.disk->hold();
  for (int i = 0; i < patience && on_.published().memory < before + enough &&
                  std::chrono::steady_clock::now() < latest;
       ++i)
    std::this_thread::yield();
  on_.disk->release();
}

void trouble::go_on_while(const std::atomic<unsigned>& running) {
  const bool slow_disk = options_.both_lines;
  if (!options_.crashes && !options_.redefinitions && !slow_disk)
    return;
  std::mt19937_64 random{options_.seed};
  while (running > 0) {
    if (options_.crashes)
      crash(random());
    if (options_.redefinitions && random() % 64 == 0)
      redefine(random());
    if (slow_disk)
      hold_disk();
    std::this_thread::yield();
  }
}

} // namespace holdfast::testing
