#include "history_faults.hpp"
#include "history_model.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace holdfast::testing {
namespace {

using fault_kind = store_fault::what;

bool is_look_up(const step& s) { return s.kind == step::what::get; }
bool is_range(const step& s) {
  using what = step::what;
  return s.kind == what::count || s.kind == what::lowest || s.kind == what::highest;
}
bool is_write(const step& s) { return !is_look_up(s) && !is_range(s); }
bool gives_tags(const done_transaction& t) {
  return std::ranges::any_of(
      t.steps, [](auto& s) { return s.kind == step::what::set_tag && s.gave == "ok"; });
}
/// Of a history in one line, where one of both is always 0.
sequence in_its_line(const moment& m) { return m.memory + m.durable; }

/// What a read gave at each moment, as far as it matters: now, and before that changed last.
struct answers {
  std::string now, before;
  void take(std::string next) {
    if (next != now)
      before = std::exchange(now, std::move(next));
  }
};

/// One run of the transactions in order on a model that may do one thing wrong.
class faulty_run {
public:
  faulty_run(const history& of, const std::optional<store_fault>& with) : of_{of}, with_{with} {
    if (with_ && (with_->kind == fault_kind::stale_read || with_->kind == fault_kind::phantom))
      read_ = &of_.all[with_->at].steps[with_->step];
  }
  /// What the next transaction gives.
  answer next() {
    auto& t = of_.all[at_];
    const bool here = with_ && with_->at == at_;
    const auto gets_there = [&](const step& s) { return !here || !loses(s); };
    auto out = run_whole(model_, t, gets_there, here ? clashes_of(with_->kind) : clashes::refuse);
    if (here && read_)
      out.gives[with_->step] = read_gives_.before;
    ++at_;
    if (read_)
      read_gives_.take(model_.run(*read_, false, t.at));
    return out;
  }
  std::string listed(bool right) const { return model_.listed(right, of_.at); }

private:
  bool loses(const step& s) const {
    return with_->kind == fault_kind::lost_commit ||
           (with_->kind == fault_kind::torn_commit && with_->right == s.right);
  }
  static clashes clashes_of(fault_kind kind) {
    return kind == fault_kind::shared_value      ? clashes::let_by
           : kind == fault_kind::false_duplicate ? clashes::see_always
                                                 : clashes::refuse;
  }

  const history& of_;
  const std::optional<store_fault>& with_;
  const step* read_ = nullptr; ///< the one that goes wrong
  answers read_gives_;
  std::size_t at_ = 0;
  history_model model_;
};

bool saw(const done_transaction& t, const answer& given) {
  return t.refused == given.refused && std::ranges::equal(t.steps, given.gives, {}, &step::gave);
}

/// The first transaction that saw something else than a store with that fault shows; the number of
/// all if only the end differs, nothing if all agrees.
std::optional<std::size_t> disagrees(const history& ran, const std::optional<store_fault>& with) {
  faulty_run again{ran, with};
  for (std::size_t i = 0; i < ran.all.size(); ++i)
    if (!saw(ran.all[i], again.next()))
      return i;
  if (again.listed(false) != ran.left || again.listed(true) != ran.right)
    return ran.all.size();
  return std::nullopt;
}

void add_faults_of(const done_transaction& t, std::size_t at, std::vector<store_fault>& out) {
  bool wrote[2] = {false, false};
  for (std::size_t i = 0; i < t.steps.size(); ++i) {
    auto& s = t.steps[i];
    if (is_write(s))
      wrote[s.right] = wrote[s.right] || s.gave == "ok";
    else if (!wrote[false] && !wrote[true]) // else it would have to forget its own writes, too
      out.push_back({is_range(s) ? fault_kind::phantom : fault_kind::stale_read, at, i});
  }
  if (t.refused || (t.wrote() && gives_tags(t))) {
    out.push_back({fault_kind::shared_value, at});
    out.push_back({fault_kind::false_duplicate, at});
  }
  if (!t.wrote())
    return;
  for (bool right : {false, true})
    if (wrote[false] && wrote[true])
      out.push_back({fault_kind::torn_commit, at, 0, right});
  out.push_back({fault_kind::lost_commit, at});
}

} // namespace

std::string to_string(const store_fault& f) {
  static constexpr const char* kinds[] = {"torn commit", "lost commit",  "stale read",
                                          "phantom",     "shared value", "false duplicate"};
  return std::string{kinds[static_cast<std::size_t>(f.kind)]} + " of transaction " +
         std::to_string(f.at) + ", step " + std::to_string(f.step) + (f.right ? ", right" : "");
}

history serial(history ran) {
  auto place = [](const done_transaction& t) {
    return std::pair{in_its_line(t.wrote() ? t.commit : t.first), !t.wrote()};
  };
  std::ranges::stable_sort(ran.all, {}, place);
  return ran;
}

namespace {

/// Gives the transaction a commit behind what it had seen, of which all know that began behind it.
void give_commit(history& to, done_transaction& t) {
  for (auto& each : to.all)
    for (auto* m : {&each.commit, &each.first, &each.seen, &each.last})
      *m = {2 * m->memory, 2 * m->durable};
  t.commit = to.durable[0] ? moment{0, t.seen.durable + 1} : moment{t.seen.memory + 1, 0};
  auto know = [&](moment& m) {
    m = {std::max(m.memory, t.commit.memory), std::max(m.durable, t.commit.durable)};
  };
  for (auto& each : to.all) {
    if (each.began > t.ended)
      std::ranges::for_each(std::array{&each.first, &each.seen}, [&](auto* m) { know(*m); });
    if (each.ended >= t.ended)
      know(each.last);
  }
}

} // namespace

history rerun(const history& in_order, const std::optional<store_fault>& with) {
  auto out = in_order;
  faulty_run again{in_order, with};
  for (auto& t : out.all) {
    auto given = again.next();
    for (std::size_t i = 0; i < given.gives.size(); ++i)
      t.steps[i].gave = std::move(given.gives[i]);
    if (t.wrote() && given.refused)
      t.commit = {};
    t.refused = given.refused;
  }
  out.left = again.listed(false);
  out.right = again.listed(true);
  if (with && with->kind == fault_kind::shared_value && in_order.all[with->at].refused)
    give_commit(out, out.all[with->at]);
  return out;
}

std::vector<store_fault> possible_faults(const history& in_order) {
  std::vector<store_fault> out;
  for (std::size_t at = 0; at < in_order.all.size(); ++at)
    if (in_order.all[at].id != 0)
      add_faults_of(in_order.all[at], at, out);
  return out;
}

std::vector<std::size_t> differences(const history& a, const history& b) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < a.all.size(); ++i)
    if (a.all[i].refused != b.all[i].refused ||
        !std::ranges::equal(a.all[i].steps, b.all[i].steps, {}, &step::gave, &step::gave))
      out.push_back(i);
  if (a.left != b.left || a.right != b.right)
    out.push_back(a.all.size());
  return out;
}

std::optional<store_fault> find_fault(const history& in_order) {
  const auto first = disagrees(in_order, std::nullopt);
  if (!first)
    return std::nullopt;
  auto all = possible_faults(in_order);
  // What a transaction reads or hears is at fault only if that is the first to be wrong; a commit
  // only before that.
  auto of_commits = [](const store_fault& f) {
    return f.kind == fault_kind::torn_commit || f.kind == fault_kind::lost_commit;
  };
  std::erase_if(
      all, [&](const store_fault& f) { return of_commits(f) ? f.at >= *first : f.at != *first; });
  std::ranges::stable_sort(all, {}, of_commits);
  for (auto& f : all)
    if (!disagrees(in_order, f))
      return f;
  return std::nullopt;
}

} // namespace holdfast::testing
