#pragma once

#include "kill_options.hpp"

#include "tests/support/forwarding_journal.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace holdfast::testing {

/// A journal with a bug, for tests of the checker: passes everything on to another one but for what
/// `bug` says.
class planted_journal final : public forwarding_journal {
public:
  planted_journal(std::unique_ptr<journal> to, planted bug)
      : forwarding_journal{std::move(to)}, bug_{bug} {}

  result<void> append(const journal_batch& batch, bool synced) override {
    switch (bug_) {
    case planted::lost_tail:
      return keep_back(batch);
    case planted::lost_batch:
      // Not the first ones: they hold the schemas.
      if (++appends_ % 16 == 0)
        return to_->append({batch.first, batch.last, {}}, synced);
      break;
    case planted::torn_commit:
      return append_without(batch, synced, &torn);
    case planted::lost_counter:
      return append_without(batch, synced, [](const journal_batch& b, std::size_t i) {
        return b.puts[i].key.starts_with('n');
      });
    case planted::nothing:
    case planted::early_answer:
      break;
    }
    return to_->append(batch, synced);
  }

private:
  struct kept_batch {
    sequence first, last;
    std::vector<std::pair<std::string, std::string>> bytes;
    std::vector<journal_put::kind> kinds;
  };

  result<void> keep_back(const journal_batch& batch) {
    constexpr std::size_t kept = 8;
    kept_batch copy{batch.first, batch.last, {}, {}};
    for (auto& p : batch.puts) {
      copy.bytes.emplace_back(p.key, p.value);
      copy.kinds.push_back(p.what);
    }
    tail_.push_back(std::move(copy));
    if (tail_.size() <= kept)
      return {};
    auto& oldest = tail_.front();
    std::vector<journal_put> puts;
    for (std::size_t i = 0; i < oldest.kinds.size(); ++i)
      puts.push_back({oldest.kinds[i], oldest.bytes[i].first, oldest.bytes[i].second});
    auto done = to_->append({oldest.first, oldest.last, puts}, true);
    tail_.pop_front();
    return done;
  }

  /// The lane that a document's key names, behind the bucket's prefix: see `lane_model`.
  static std::optional<unsigned> lane_of(std::string_view key) {
    constexpr std::size_t prefix = 6;
    if (!key.starts_with('s') || key.size() < prefix + 2 || key[prefix + 1] != '-')
      return std::nullopt;
    return static_cast<unsigned>(key[prefix] - '0');
  }

  // Now and then a record behind another one of its commit. A lane that waits for each step has one
  // commit in a batch at most.
  static bool torn(const journal_batch& b, std::size_t i) {
    if (b.last % 8 != 0 || i == 0 || b.puts[i].what != journal_put::kind::put)
      return false;
    auto lane = lane_of(b.puts[i].key);
    return lane && !kill_orders::is_pipelined(*lane) && lane == lane_of(b.puts[i - 1].key) &&
           b.puts[i - 1].what == journal_put::kind::put;
  }

  template <class Drop>
  result<void> append_without(const journal_batch& batch, bool synced, Drop drop) {
    std::vector<journal_put> puts;
    for (std::size_t i = 0; i < batch.puts.size(); ++i)
      if (!drop(batch, i))
        puts.push_back(batch.puts[i]);
    return to_->append({batch.first, batch.last, puts}, synced);
  }

  planted bug_;
  std::uint64_t appends_ = 0;
  std::deque<kept_batch> tail_;
};

} // namespace holdfast::testing
