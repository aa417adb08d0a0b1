// How subscribers come to a live query, leave it, and are told.
#include <holdfast/store/detail/live_queries.hpp>

#include <holdfast/runtime/fault.hpp>
#include <holdfast/store/detail/shown.hpp>

#include <algorithm>

namespace holdfast::detail {

/// Keeps the feed followed while a subscriber is on its way in.
class live_queries::arrival {
public:
  /// Under the mutex.
  explicit arrival(live_queries& to) : to_{to} {
    to_.follow();
    ++to_.arriving_;
  }
  arrival(const arrival&) = delete;
  arrival& operator=(const arrival&) = delete;
  ~arrival() {
    const std::lock_guard lock{to_.mutex_};
    --to_.arriving_;
  }

private:
  live_queries& to_;
};

/// Lets go of a group again that nobody has come to be a member of. Under the mutex.
class live_queries::entering {
public:
  entering(live_queries& to, const group_ptr& g) : to_{to}, group_{g} {}
  entering(const entering&) = delete;
  entering& operator=(const entering&) = delete;
  ~entering() { to_.forget_if_empty(group_); }

private:
  live_queries& to_;
  const group_ptr& group_;
};

void live_queries::follow() {
  if (following_)
    return;
  position_.seq = lines_->follow(reader_, std::make_shared<const feed_interest>()).published;
  following_ = true;
}

/// The parameters in one form, whatever their order.
std::string live_queries::key_of(const query_definition& of, const object& parameters,
                                 const read_filters& filters) {
  std::vector<const member*> sorted;
  for (auto& each : parameters)
    sorted.push_back(&each);
  std::ranges::sort(sorted, {}, &member::name);
  auto out = of.name;
  for (auto* each : sorted)
    out += '\n' + each->name + '=' + each->content.to_string();
  for (auto& [bucket, filter] : filters)
    out += '\n' + bucket + ':' + filter.to_string();
  return out;
}

live_queries::group_ptr live_queries::find_group(const std::string& key, const query_definition& of,
                                                 const object& parameters,
                                                 const read_filters& filters) const {
  auto [first, last] = groups_.equal_range(key);
  for (auto at = first; at != last; ++at)
    if (at->second->of.get() == &of && at->second->parameters == parameters &&
        at->second->filters == filters)
      return at->second;
  return nullptr;
}

/// The moment up to which a group is known to stand as it does, if that is not before `now`.
std::optional<query_moment> live_queries::fresh_at(const query_group& g, const query_moment& now) {
  if (!lines_->feed.has_read(reader_, now.seq))
    return std::nullopt;
  catch_up();
  if (!queue_.empty())
    wake();
  if (!g.last || g.dirty || g.moved)
    return std::nullopt;
  // Time is part of a moment: what had not ended at the group's may have at this one.
  if (g.upkeep ? g.upkeep->has_ended_by(time())
               : std::ranges::any_of(g.reads, &query_reads::may_expire))
    return std::nullopt;
  return g.at.covers(now) ? g.at : now;
}

result<subscription> live_queries::subscribe(std::string_view name, object parameters, handler call,
                                             live_options options) {
  const queue_maker on_callback_threads = [&](std::shared_ptr<query_member> member) {
    return std::make_shared<subscriber_queue>(
        runtime_.executor(),
        [member = std::move(member), call = std::move(call)](const delivery& d) {
          member->take(static_cast<const query_event&>(*d.what), call);
        },
        std::size_t{1}, overflow::drop_oldest); // the latest value wins
  };
  return subscribe(name, std::move(parameters), on_callback_threads, std::move(options));
}

result<subscription> live_queries::subscribe(std::string_view name, object parameters,
                                             const queue_maker& make, live_options options) {
  const freeing behind{*this};
  std::optional<arrival> arriving; // leaves when the mutex is free
  std::unique_lock lock{mutex_};
  auto found = find(name);
  if (!found)
    return fail(std::move(found.error()));
  const auto of = std::move(*found);
  arriving.emplace(*this);
  lock.unlock();
  if (auto fit = admitted(*of, parameters); !fit)
    return fail(std::move(fit.error()));
  const auto key = key_of(*of, parameters, options.filters);
  lock.lock();
  auto g = find_group(key, *of, parameters, options.filters);
  auto at = g ? fresh_at(*g, moment_of(snapshot_pair{*lines_})) : std::nullopt;
  std::optional<prepared> first;
  if (!at) {
    lock.unlock();
    first = prepare(*of, parameters, options.filters, snapshot_pair{*lines_, runtime_.clock()});
    lock.lock();
    g = find_group(key, *of, parameters, options.filters);
    if (!g) {
      g = std::make_shared<query_group>();
      g->key = key;
      g->of = of;
      g->parameters = std::move(parameters);
      g->filters = options.filters;
      groups_.emplace(key, g);
    }
  }
  const entering until_joined{*this, g};
  std::optional<result<query_value>> own;
  if (first) {
    if (g->last && g->at == first->run.at)
      own = first->run.outcome;
    if (own)
      come_upon(*g, std::move(*first));
    else
      install(*g, std::move(*first));
    at = g->at;
  }
  g->at.advance_to(*at); // no run of an earlier moment is told behind this
  if (auto still = find(name); !still || *still != of)
    return fail(errc::not_found, shown_name(name) + ": the query was removed meanwhile",
                {.query = std::string{name}});
  auto e = event_of(*g, *at, true);
  if (own) {
    e->outcome = std::move(*own);
    e->number = 0; // the group's next may be the same
  }
  return join(g, std::move(e), make, options);
}

/// Of who comes with a run of the moment at which the group stands. Since the group's nothing may
/// have happened but that records ended. Who comes now is not shown them; those who are there are
/// told by the next commit that matters, or by the one that purges them: each moment is told once.
void live_queries::come_upon(query_group& g, prepared p) {
  if (g.untold)
    tell(g);
  const auto is_later = g.upkeep && g.upkeep->time() > p.basis.now;
  if (!g.dirty && !g.moved && !is_later)
    return stand_on(g, std::move(p));
  // What is told next may be what the others have, and not what this one has.
  g.uneven = g.uneven || !same_outcome(*g.last, p.run.outcome);
}

subscription live_queries::join(const group_ptr& g, std::shared_ptr<query_event> first,
                                const queue_maker& make, const live_options& options) {
  if (g->untold)
    tell(*g); // what the others are still to be told is no news to this one
  auto member = std::make_shared<query_member>(g->of);
  const auto skips = options.skip_initial && first->outcome;
  if (skips)
    member->knows(first->outcome, first->number);
  auto queue = make(member);
  queue->count_in(totals_);
  // Who settles waits for what is replaced before it is handled, too.
  queue->hand_on([](const event& e) { return static_cast<const query_event&>(e).epoch; });
  queue->when_closed([weak = weak_from_this(), of = std::weak_ptr{g}](auto& closed) {
    auto self = weak.lock();
    if (!self)
      return;
    {
      const std::lock_guard lock{self->leaving_mutex_};
      try {
        fault_point("queries.leaving");
        self->leaving_.emplace_back(of, closed.get());
      } catch (const std::bad_alloc&) {
        self->some_left_ = true; // it is looked for among all
      }
    }
    self->wake();
  });
  subscription token{queue}; // first: who is entered and gets nothing is let go of
  g->members.emplace(queue.get(), queue);
  if (!skips)
    queue->push({nullptr, std::move(first)});
  return token;
}

std::shared_ptr<query_event> live_queries::event_of(const query_group& g, const query_moment& at,
                                                    bool initial) const {
  auto e = std::make_shared<query_event>();
  e->outcome = *g.last;
  e->at = at;
  e->number = g.number;
  e->initial = initial;
  e->epoch = epoch_;
  return e;
}

/// Tells the group's members how it stands. If it throws, they are told once more before they are
/// told anything else; those who have it pass over it.
void live_queries::tell(query_group& g) {
  g.untold = true;
  try {
    const auto e = event_of(g, g.at, false);
    for (auto& [key, queue] : g.members) {
      fault_point("queries.telling");
      if (bug_point("queries.passed_over"))
        continue;
      queue->push({nullptr, e});
    }
    g.untold = false;
  } catch (...) {
    wake();
    enqueue(g); // it notes what it has no room for
    throw;
  }
}

} // namespace holdfast::detail
