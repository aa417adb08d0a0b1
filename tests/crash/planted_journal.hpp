#pragma once

#include "kill_options.hpp"
#include "kill_transfer.hpp"

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
    case planted::torn_transfer:
      return append_without(batch, synced, [this](auto& b, std::size_t i) { return half(b, i); });
    case planted::lost_commit:
      return append_without(batch, synced, [this](auto& b, std::size_t i) { return lost(b, i); });
    case planted::late_lane:
      return append_late(batch, synced);
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
  /// What a batch writes, in memory of its own.
  class kept_puts {
  public:
    void keep(const journal_put& p) {
      puts_.push_back({p.what, std::string{p.key}, std::string{p.value}});
    }
    void append_to(std::vector<journal_put>& out) const {
      for (auto& p : puts_)
        out.push_back({p.what, p.key, p.value});
    }

  private:
    struct put {
      journal_put::kind what;
      std::string key, value;
    };
    std::vector<put> puts_;
  };
  struct kept_batch {
    sequence first, last;
    kept_puts content;
  };

  result<void> keep_back(const journal_batch& batch) {
    constexpr std::size_t kept = 8;
    kept_batch copy{batch.first, batch.last, {}};
    for (auto& p : batch.puts)
      copy.content.keep(p);
    tail_.push_back(std::move(copy));
    if (tail_.size() <= kept)
      return {};
    auto& oldest = tail_.front();
    std::vector<journal_put> puts;
    oldest.content.append_to(puts);
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

  /// What a transfer puts into `savings`, every other time; but not what opens the accounts.
  bool half(const journal_batch& b, std::size_t i) {
    constexpr std::size_t opened = accounts / 2;
    return b.puts[i].key.find("tsavings-") != std::string_view::npos && seen_++ >= opened &&
           seen_ % 2 == 0;
  }

  /// Now and then a commit of a lane that waits for each step, if it wrote one document.
  bool lost(const journal_batch& b, std::size_t i) {
    auto lane = lane_of(b.puts[i].key);
    auto is_alone = (i == 0 || lane_of(b.puts[i - 1].key) != lane) &&
                    (i + 1 == b.puts.size() || lane_of(b.puts[i + 1].key) != lane);
    return lane && !kill_orders::is_pipelined(*lane) && is_alone && ++seen_ % 8 == 0;
  }

  /// What the last lane writes comes some batches later.
  result<void> append_late(const journal_batch& batch, bool synced) {
    constexpr std::size_t later = 4;
    std::vector<journal_put> puts;
    if (late_.size() == later)
      late_.front().append_to(puts);
    kept_puts own;
    for (auto& p : batch.puts)
      if (lane_of(p.key) == kill_log::lanes - 1)
        own.keep(p);
      else
        puts.push_back(p);
    auto done = to_->append({batch.first, batch.last, puts}, synced);
    if (late_.size() == later)
      late_.pop_front();
    late_.push_back(std::move(own));
    return done;
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
  std::uint64_t seen_ = 0;     ///< puts that may be dropped
  std::deque<kept_puts> late_; ///< by batch
  std::deque<kept_batch> tail_;
};

} // namespace holdfast::testing
