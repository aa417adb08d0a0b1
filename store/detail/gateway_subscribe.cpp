#include <holdfast/store/detail/gateway_subscribe.hpp>

#include <holdfast/store/detail/gateway_aside.hpp>
#include <holdfast/store/detail/purge.hpp>
#include <holdfast/store/detail/store_state.hpp>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace holdfast::detail {

namespace {

using answer_to_subscriber = reply<subscription_id>;

/// Gives its place in the register up again, unless it is kept.
class reservation {
public:
  reservation(gateway_desk& desk, subscription_id id) : desk_{desk}, id_{id} {}
  reservation(const reservation&) = delete;
  reservation& operator=(const reservation&) = delete;
  ~reservation() {
    if (!kept_)
      desk_.subscriptions().end(id_);
  }
  void keep() noexcept { kept_ = true; }

private:
  gateway_desk& desk_;
  const subscription_id id_;
  bool kept_ = false;
};

/// Leaves a way that was never opened.
struct abandoned {
  std::shared_ptr<gateway_way> way;
  ~abandoned() {
    if (way)
      way->abandon();
  }
};

/// Makes an actor the watcher of a subscription: it ends the subscription when the subscriber ends,
/// and itself with the subscription.
void watch(caf::event_based_actor* watcher, const desk_ptr& desk, subscription_id id,
           const caf::actor& subscriber) {
  watcher->monitor(subscriber);
  watcher->set_down_handler([watcher, desk, id](caf::scheduled_actor*, caf::down_msg&) {
    desk->subscriptions().end(id);
    watcher->quit();
  });
  watcher->become([desk, id](const subscription_look&) { desk->subscriptions().end_if_over(id); },
                  [watcher, at = subscriber.address()](const subscription_end&) {
                    watcher->demonitor(at);
                    watcher->quit();
                  });
}

/// `begin(way)` subscribes, and gives the token.
template <class F>
void enter(caf::event_based_actor* watcher, const desk_ptr& desk, const caf::actor& subscriber,
           const answer_to_subscriber& answer, F begin) {
  auto id = desk->subscriptions().reserve();
  if (!id)
    return answer(fail(std::move(id.error())));
  reservation place{*desk, *id};
  auto way = std::make_shared<gateway_way>(*id, subscriber, caf::actor{watcher});
  abandoned left{way};
  result<subscription> token = begin(way);
  if (!token)
    return answer(fail(std::move(token.error())));
  if (!desk->subscriptions().keep(way, std::move(*token), caf::actor{watcher}))
    return answer(fail(errc::stopped, "gateway: the store has stopped"));
  watch(watcher, desk, *id, subscriber);
  answer(*id);
  place.keep();
  left.way = nullptr;
  way->open(); // behind the answer
}

result<subscription> listen(store_state& in, const topic_pattern& to, const subscriber_options& how,
                            const std::shared_ptr<gateway_way>& way) {
  auto queue = way->make_queue(
      [](const caf::actor& reader, std::shared_ptr<gateway_mail> mail) {
        caf::anon_send(reader, change_mail{std::move(mail)});
      },
      how.limit, how.overflow);
  return in.events().subscribe(to, how, [&](const event_bus& bus, subscriber_options with) {
    return bus.enter(to, std::move(queue), std::move(with));
  });
}

result<subscription> follow(store_state& in, const subscribe_query& m,
                            const std::shared_ptr<gateway_way>& way) {
  const live_queries::queue_maker make = [&](std::shared_ptr<query_member> member) {
    return way->make_queue(
        [member = std::move(member)](const caf::actor& reader, std::shared_ptr<gateway_mail> mail) {
          caf::anon_send(reader, query_mail{std::move(mail), member});
        },
        1, overflow::drop_oldest); // the latest value wins
  };
  return in.queries().subscribe(m.query, m.parameters, make, m.how);
}

/// Who is to get the mails of a subscription.
result<caf::actor> subscriber_of(const answer_to_subscriber& answer, const caf::actor& named) {
  if (named)
    return named;
  if (auto asker = answer.asker())
    return asker;
  return fail(errc::invalid_argument, "gateway: a subscription without a subscriber");
}

/// Purges one bucket after the other, without a thread that waits.
struct purging_all {
  struct progress {
    std::vector<ref<bucket_core>> left;
    durability level;
    std::optional<purge_pass> pass;
    std::uint64_t removed = 0;
    std::optional<error> failure; ///< the first
  };
  std::shared_ptr<progress> at;
  reply<std::uint64_t> answer;

  void next(caf::event_based_actor* self) const {
    while (!at->pass || at->pass->ended()) {
      if (at->pass)
        end_pass();
      if (at->left.empty())
        return answer(at->failure ? result<std::uint64_t>{fail(*at->failure)} : at->removed);
      auto core = std::move(at->left.back());
      at->left.pop_back();
      if (auto why = purge_pass::refusal(*core, at->level))
        note(std::move(*why));
      else
        at->pass.emplace(std::move(core), at->level);
    }
    via(self, at->pass->next(), [self, me = *this](const result<purge_step>& done) {
      guarded(me.answer, [&] {
        me.at->pass->took(done);
        me.next(self);
      });
    });
  }

private:
  void end_pass() const {
    at->removed += at->pass->removed();
    if (at->pass->failure())
      note(*at->pass->failure());
    at->pass.reset();
  }
  void note(error why) const {
    if (!at->failure && why != errc::dropped)
      at->failure = std::move(why);
  }
};

} // namespace

caf::delegated<result<std::uint64_t>> purge_all_for(gateway_pointer self, const desk_ptr& desk,
                                                    const purge_store& m) {
  return take_in<std::uint64_t>(self, desk, [&](const auto& answer) {
    auto& in = desk->store();
    purging_all all{std::make_shared<purging_all::progress>(), answer};
    all.at->left = in.all();
    std::ranges::reverse(all.at->left); // by name, as a handle does
    all.at->level = m.level.value_or(in.options().durability);
    aside(self, desk->owner(), answer, [all](auto* worker) { all.next(worker); });
  });
}

caf::delegated<result<query_value>> run_for(gateway_pointer self, const desk_ptr& desk,
                                            const holdfast::run_query& m) {
  return take_in<query_value>(self, desk, [&](const auto& answer) {
    aside_in_store(self, desk, answer, [desk, answer, m](auto*) {
      answer(desk->store().queries().run(m.query, m.parameters, m.filters));
    });
  });
}

caf::delegated<result<subscription_id>> subscribe_for(gateway_pointer self, const desk_ptr& desk,
                                                      const subscribe_events& m) {
  return take_in<subscription_id>(self, desk, [&](const auto& answer) {
    auto to = topic_pattern::parse(m.pattern);
    if (!to)
      return answer(fail(std::move(to.error())));
    auto reader = subscriber_of(answer, m.subscriber);
    if (!reader)
      return answer(fail(std::move(reader.error())));
    aside_in_store(self, desk, answer,
                   [desk, answer, to = *to, how = m.how, reader = *reader](auto* watcher) {
                     enter(watcher, desk, reader, answer,
                           [&](const auto& way) { return listen(desk->store(), to, how, way); });
                   });
  });
}

caf::delegated<result<subscription_id>> subscribe_for(gateway_pointer self, const desk_ptr& desk,
                                                      const subscribe_query& m) {
  return take_in<subscription_id>(self, desk, [&](const auto& answer) {
    auto reader = subscriber_of(answer, m.subscriber);
    if (!reader)
      return answer(fail(std::move(reader.error())));
    aside_in_store(self, desk, answer, [desk, answer, m, reader = *reader](auto* watcher) {
      enter(watcher, desk, reader, answer,
            [&](const auto& way) { return follow(desk->store(), m, way); });
    });
  });
}

caf::delegated<result<bool>> unsubscribe_for(gateway_pointer self, const desk_ptr& desk,
                                             const unsubscribe& m) {
  return take_in<bool>(self, desk,
                       [&](const auto& answer) { answer(desk->subscriptions().end(m.what)); });
}

} // namespace holdfast::detail
