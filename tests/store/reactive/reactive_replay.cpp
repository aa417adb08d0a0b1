#include "tests/store/reactive/reactive_replay.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::testing {

reactive_replay::reactive_replay(store& of) : shadow_{std::move(*store::start())} {
  token_ = of.on("bucket.**",
                 [this](const change& c) {
                   const std::lock_guard lock{mutex_};
                   waiting_.push_back(c);
                   told_[c.persistent ? 1 : 0] = c.seq;
                   if (c.also_seq > 0)
                     told_[c.persistent ? 0 : 1] = c.also_seq;
                   came_.notify_all();
                 },
                 {.limit = std::size_t{1} << 20})
               .value();
}

void reactive_replay::follow(const schema& plain, bool persistent) {
  schema in_memory = plain;
  auto made = shadow_.define(in_memory.persistent(false)).value();
  buckets_.emplace(plain.name(), followed{plain, std::move(made), persistent, {}});
}

void reactive_replay::begin(const reactive_moment& at) {
  lines_[0] = {{at.first, tick_, shadow_.snapshot()}};
  lines_[1] = {{at.second, tick_, shadow_.snapshot()}};
  const std::lock_guard lock{mutex_};
  told_ = {at.first, at.second};
}

bool reactive_replay::advance(const reactive_moment& to, std::chrono::seconds within) {
  std::vector<change> next;
  {
    std::unique_lock lock{mutex_};
    if (!came_.wait_for(lock, within,
                        [&] { return told_[0] >= to.first && told_[1] >= to.second; }))
      return false;
    next.swap(waiting_);
  }
  for (auto& c : next)
    take(c);
  finish_commit();
  return true;
}

void reactive_replay::take(const change& c) {
  const auto both = [](const change& x) {
    return x.persistent ? reactive_moment{x.also_seq, x.seq} : reactive_moment{x.seq, x.also_seq};
  };
  if (last_ && both(*last_) != both(c))
    finish_commit();
  apply(c);
  last_ = &c;
}

void reactive_replay::finish_commit() {
  if (!last_)
    return;
  ++commits_;
  const auto now = shadow_.snapshot();
  line_of(last_->persistent).push_back({last_->seq, tick_, now});
  if (last_->also_seq > 0) {
    line_of(!last_->persistent).push_back({last_->also_seq, tick_, now});
    over_both_.emplace_back(last_->persistent ? last_->also_seq : last_->seq,
                            last_->persistent ? last_->seq : last_->also_seq);
  }
  last_ = nullptr;
}

namespace {
bool ended(const record& r, timestamp by) { return r && r.expires_at() && *r.expires_at() <= by; }
} // namespace

void reactive_replay::apply(const change& c) {
  const auto found = buckets_.find(c.bucket());
  if (found == buckets_.end())
    return;
  auto& in = found->second;
  const bool all = c.kind == change_kind::cleared || c.kind == change_kind::dropped;
  if (all)
    in.deadlines.clear();
  if (c.before)
    in.deadlines.erase(c.before.key().as_int());
  if (c.after && c.after.expires_at())
    in.deadlines.emplace(c.after.key().as_int(), *c.after.expires_at());
  // What had ended is hidden already, whenever it is removed.
  const bool was_there = c.before && !ended(c.before, c.at);
  const bool is_there = c.after && !ended(c.after, c.at);
  auto done = result<void>{};
  const auto none = [](const auto&) {};
  if (all)
    done = in.plain.clear().get().map(none);
  else if (was_there && is_there)
    done = replace(in, c.after);
  else if (was_there)
    done = in.plain.erase(c.before.key().materialize()).get().map(none);
  else if (is_there)
    done = in.plain.insert(c.after.to_object()).get().map(none);
  if (!done && fault_.empty())
    fault_ = c.to_string() + ": " + done.error().to_string();
}

result<void> reactive_replay::replace(const followed& in, const record& after) {
  const auto fields = after.to_object();
  object all;
  for (auto& each : in.definition.fields())
    if (each.name != "id") {
      auto* given = fields.find(each.name);
      all.set(each.name, given ? *given : value{});
    }
  return in.plain.update(after.key().materialize(), all).get().map([](const auto&) {});
}

void reactive_replay::expire(timestamp by) {
  for (auto& [name, in] : buckets_)
    for (auto& [key, ends] : in.deadlines)
      if (ends <= by)
        (void)in.plain.erase(key).get(); // else it was hidden at a tick before
  ++tick_;
  for (auto& each : lines_)
    each.push_back({each.back().from, tick_, shadow_.snapshot()});
}

void reactive_replay::forget() {
  for (auto& each : lines_)
    each.erase(each.begin(), each.end() - 1);
  over_both_.clear();
}

const reactive_replay::state& reactive_replay::state_of(const line_states& l, sequence seq,
                                                        std::size_t tick) {
  return *std::find_if(l.rbegin(), l.rend(),
                       [&](auto& s) { return s.from <= seq && s.tick <= tick; });
}

reactive_view reactive_replay::view(const reactive_moment& when, std::size_t tick) const {
  return [this, when, tick](const std::string& name) {
    auto& in = buckets_.at(name);
    return reactive_reader{in.plain.at(
        state_of(lines_[in.persistent ? 1 : 0], in.persistent ? when.second : when.first, tick)
            .seen)};
  };
}

std::vector<reactive_view> reactive_replay::at(const reactive_moment& when) const {
  std::size_t first = 0, last = tick_;
  for (bool persistent : {false, true}) {
    auto& line = lines_[persistent ? 1 : 0];
    const auto seq = persistent ? when.second : when.first;
    auto begins = std::ranges::find(line, seq, &state::from);
    if (begins == line.end())
      return {};
    auto ends = std::ranges::upper_bound(line, seq, {}, &state::from);
    first = std::max(first, begins->tick);
    last = std::min(last, ends == line.end() ? tick_ : ends->tick);
  }
  const auto halved = [&](const reactive_moment& both) {
    return (when.first >= both.first) != (when.second >= both.second);
  };
  std::vector<reactive_view> out;
  if (std::ranges::none_of(over_both_, halved))
    for (auto tick = first; tick <= last; ++tick)
      out.push_back(view(when, tick));
  return out;
}

} // namespace holdfast::testing
