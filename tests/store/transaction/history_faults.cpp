#include "history_faults.hpp"
#include "history_model.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::testing {
namespace {

using fault_kind = store_fault::what;

bool is_look_up(const step& s) { return s.kind == step::what::get; }
bool is_range(const step& s) { return s.kind == step::what::count || s.kind == step::what::lowest; }
bool is_write(const step& s) { return !is_look_up(s) && !is_range(s); }

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
  /// What each step of the next transaction gives.
  std::vector<std::string> next() {
    auto& t = of_.all[at_];
    std::vector<std::string> out;
    for (std::size_t i = 0; i < t.steps.size(); ++i)
      out.push_back(run(t, i));
    ++at_;
    if (read_)
      read_gives_.take(model_.run(*read_, false, t.at));
    return out;
  }
  std::string listed(bool right) const { return model_.listed(right, of_.at); }

private:
  std::string run(const done_transaction& t, std::size_t i) {
    auto& s = t.steps[i];
    const bool here = with_ && with_->at == at_;
    if (here && read_ && with_->step == i)
      return read_gives_.before;
    const bool lost = here && (with_->kind == fault_kind::lost_commit ||
                               (with_->kind == fault_kind::torn_commit && with_->right == s.right));
    return model_.run(s, t.seq > 0 && !lost, t.at);
  }

  const history& of_;
  const std::optional<store_fault>& with_;
  const step* read_ = nullptr; ///< the one that goes wrong
  answers read_gives_;
  std::size_t at_ = 0;
  history_model model_;
};

bool saw(const done_transaction& t, const std::vector<std::string>& gives) {
  return std::ranges::equal(t.steps, gives, {}, &step::gave);
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
  if (t.seq == 0)
    return;
  for (bool right : {false, true})
    if (wrote[false] && wrote[true])
      out.push_back({fault_kind::torn_commit, at, 0, right});
  out.push_back({fault_kind::lost_commit, at});
}

} // namespace

std::string to_string(const store_fault& f) {
  static constexpr const char* kinds[] = {"torn commit", "lost commit", "stale read", "phantom"};
  return std::string{kinds[static_cast<std::size_t>(f.kind)]} + " of transaction " +
         std::to_string(f.at) + ", step " + std::to_string(f.step) + (f.right ? ", right" : "");
}

history serial(history ran) {
  auto place = [](const done_transaction& t) {
    return std::pair{t.seq > 0 ? t.seq : t.first, t.seq == 0};
  };
  std::ranges::stable_sort(ran.all, {}, place);
  return ran;
}

history rerun(const history& in_order, const std::optional<store_fault>& with) {
  auto out = in_order;
  faulty_run again{in_order, with};
  for (auto& t : out.all) {
    auto gives = again.next();
    for (std::size_t i = 0; i < gives.size(); ++i)
      t.steps[i].gave = std::move(gives[i]);
  }
  out.left = again.listed(false);
  out.right = again.listed(true);
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
    if (!std::ranges::equal(a.all[i].steps, b.all[i].steps, {}, &step::gave, &step::gave))
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
  // A read is at fault only if it is the first to be wrong; a commit only before that.
  std::erase_if(all, [&](const store_fault& f) {
    const bool reads = f.kind == fault_kind::stale_read || f.kind == fault_kind::phantom;
    return reads ? f.at != *first : f.at >= *first;
  });
  auto reads_first = [](const store_fault& f) {
    return f.kind == fault_kind::torn_commit || f.kind == fault_kind::lost_commit;
  };
  std::ranges::stable_sort(all, {}, reads_first);
  for (auto& f : all)
    if (!disagrees(in_order, f))
      return f;
  return std::nullopt;
}

} // namespace holdfast::testing
