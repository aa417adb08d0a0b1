#include "kill_check.hpp"

#include <algorithm>
#include <numeric>

namespace holdfast::testing {

std::string kill_checker::place::to_string() const {
  return "step " + std::to_string(n) + " of lane " + std::to_string(lane) +
         (seq != 0 ? ", commit " + std::to_string(seq) : "");
}

// -- what was acknowledged

void kill_checker::check_promises(const kill_log& log, const kill_orders& orders) {
  // The latest moment at which something that is there was attempted.
  std::uint64_t latest = 0;
  for (unsigned lane = 0; lane < kill_log::lanes; ++lane)
    if (auto n = steps_found(lane, orders); n > 0)
      latest = std::max(latest, log.steps[lane][n - 1].attempted.load());
  for (unsigned lane = 0; lane < kill_log::lanes; ++lane) {
    auto level = orders.level_of(lane);
    for (auto i = steps_found(lane, orders); i < kill_log::capacity; ++i) {
      auto& e = log.steps[lane][i];
      if (e.attempted.load() == 0)
        break;
      auto acknowledged = e.acknowledged.load();
      if (acknowledged == 0)
        continue;
      auto name = "lane " + std::to_string(lane) + ": step " +
                  std::to_string(orders.done[lane] + static_cast<std::int64_t>(i) + 1);
      if (level == durability::sync || level == durability::group)
        wrong(name + " was acknowledged at " + std::string{to_string(level)} + " and is lost");
      if (acknowledged < log.barrier.load())
        wrong(name + " was acknowledged before a barrier and is lost");
      if (acknowledged < latest)
        wrong(name + " is lost, though a step that was begun after it is there");
      break;
    }
  }
}

// -- what the commit order says

/// Of the steps with a known place, those up to the last commit are there and no others. The other
/// ones that are there take the places behind, one each.
void kill_checker::check_commits(sequence last, const kill_log& log, const kill_orders& orders) {
  auto base = log.base.load();
  if (base == 0)
    return; // no step was attempted
  sequence steps = 0;
  for (unsigned lane = 0; lane < kill_log::lanes; ++lane) {
    auto found = steps_found(lane, orders);
    steps += found;
    auto name = [&](std::size_t i) {
      return "lane " + std::to_string(lane) + ": step " +
             std::to_string(orders.done[lane] + static_cast<std::int64_t>(i) + 1);
    };
    for (std::size_t i = 0; i < kill_log::capacity; ++i) {
      auto seq = log.steps[lane][i].seq.load();
      if (seq == 0)
        break; // the feed keeps the order, so nobody knows of those behind either
      if (i >= found && seq <= last) {
        wrong(name(i) + " is lost: it is commit " + std::to_string(seq) + " of the " +
              std::to_string(last) + " that are there");
        break;
      }
      if (i < found && seq > last)
        wrong(name(i) + " is there: it is commit " + std::to_string(seq) + ", behind the last, " +
              std::to_string(last));
    }
  }
  if (base + steps != last)
    wrong("commits: there are " + std::to_string(steps) + " steps behind commit " +
          std::to_string(base) + ", and the last commit is " + std::to_string(last));
}

/// What was begun when another step had been acknowledged comes behind that in the order.
void kill_checker::check_moments(const kill_log& log, const kill_orders& orders) {
  std::map<sequence, std::pair<place, const kill_log::step*>> in_order;
  for (unsigned lane = 0; lane < kill_log::lanes; ++lane) {
    auto n = orders.done[lane];
    for (auto& s : log.steps[lane])
      if (++n; s.seq.load() != 0)
        in_order[s.seq.load()] = {{lane, n, s.seq.load()}, &s};
  }
  const std::pair<place, const kill_log::step*>* first = nullptr; // that was acknowledged
  for (auto at = in_order.rbegin(); at != in_order.rend(); ++at) {
    auto& [where, step] = at->second;
    if (first && step->attempted.load() > first->second->acknowledged.load())
      return wrong(where.to_string() + ": was begun when " + first->first.to_string() +
                   ", had been acknowledged"); // one says it
    if (auto told = step->acknowledged.load();
        told != 0 && (!first || told < first->second->acknowledged.load()))
      first = &at->second;
  }
}

// -- what all lanes write

void kill_checker::check_shared() {
  std::uint64_t updates = 0;
  for (auto& m : models_)
    updates += m.counted();
  if (shared_version_ != 0 ? shared_version_ != 1 + updates : updates != 0)
    wrong("shared counter: has version " + std::to_string(shared_version_) + " after " +
          std::to_string(updates) + " updates");
  for (auto& numbers : numbers_)
    if (!numbers.empty() && *numbers.rbegin() != static_cast<std::int64_t>(numbers.size()))
      wrong("events: " + std::to_string(numbers.size()) + " numbers were given, the highest is " +
            std::to_string(*numbers.rbegin()));
}

/// Whatever the lanes did: no half of a transfer is there without the other one.
void kill_checker::check_transfers() {
  auto there = std::count_if(accounts_.begin(), accounts_.end(), [](auto& a) { return a.version; });
  auto sum = std::accumulate(accounts_.begin(), accounts_.end(), std::int64_t{0},
                             [](auto n, auto& a) { return n + a.amount; });
  if (there != 0 && there != accounts)
    wrong("accounts: " + std::to_string(there) + " are there of " + std::to_string(accounts));
  if (sum != there * first_amount)
    wrong("accounts: hold " + std::to_string(sum) + " in sum, " +
          std::to_string(there * first_amount) + " was put in");
  for (unsigned i = 0; i < accounts; ++i)
    if (auto& writer = accounts_[i].writer; writer.n > found_.at(writer.lane).transfer)
      wrong(account_key(i) + ": " + writer.to_string() + ", wrote it, and is not in the ledger");
}

void kill_checker::check_accounts() {
  for (unsigned i = 0; i < accounts; ++i) {
    auto amount = first_amount;
    std::uint64_t version = 1;
    for (auto& m : models_) {
      amount += m.transfers().given(i);
      version += m.transfers().changes(i);
    }
    auto& found = accounts_[i];
    if (found.version == 0 ? version != 1 : found.amount != amount || found.version != version)
      wrong(account_key(i) + ": holds " + std::to_string(found.amount) + ", version " +
            std::to_string(found.version) + "; the transfers in the ledger make " +
            std::to_string(amount) + ", version " + std::to_string(version));
    check_writer(i);
  }
}

/// An account is as the last of those who wrote it left it.
void kill_checker::check_writer(unsigned account) {
  auto& writers = writers_[account];
  auto& found = accounts_[account].writer;
  // Those that nobody lived to tell of come behind all others.
  auto last = std::max_element(writers.begin(), writers.end(), [](auto& a, auto& b) {
    return a.seq - 1 < b.seq - 1; // 0 is the greatest
  });
  auto same = [&](const place& p) { return p.lane == found.lane && p.n == found.n; };
  auto may_be = [&](const place& p) { return same(p) && p.seq == last->seq; };
  if (last != writers.end() && std::none_of(writers.begin(), writers.end(), may_be))
    wrong(account_key(account) + ": was written last by " + found.to_string() + ", but " +
          last->to_string() + ", comes behind that");
}

} // namespace holdfast::testing
