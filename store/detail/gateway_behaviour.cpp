#include <holdfast/store/detail/gateway_behaviour.hpp>

#include <holdfast/store/detail/bucket_core.hpp>
#include <holdfast/store/detail/gateway_administration.hpp>
#include <holdfast/store/detail/gateway_aside.hpp>
#include <holdfast/store/detail/gateway_modify.hpp>
#include <holdfast/store/detail/gateway_subscribe.hpp>
#include <holdfast/store/detail/purge.hpp>
#include <holdfast/store/detail/store_state.hpp>

#include <functional>
#include <utility>

namespace holdfast::detail {

namespace {

using number = std::uint64_t;

const query& query_of(const aggregate_records& m) { return m.over; }
const query& query_of(const group_records& m) { return m.over; }
template <class Message>
const query& query_of(const Message& m) {
  return m.what;
}

template <class Message>
bucket<> handle_for(const bucket<>& to, const Message& m) {
  return m.level ? to.with(*m.level) : to;
}

template <class T, class Message, class F>
auto writing(gateway_pointer self, const desk_ptr& desk, F write) {
  return [self, desk, write](const Message& m) {
    return take<T>(self, desk, m.bucket, [&](const bucket<>& to, const reply<T>& answer) {
      begin(write(handle_for(to, m), m), answer);
    });
  };
}

template <class T, class Message, class F>
auto reading(gateway_pointer self, const desk_ptr& desk, F read) {
  return [self, desk, read](const Message& m) {
    return take<T>(self, desk, m.bucket, [&](const bucket<>& of, const reply<T>& answer) {
      selection what{ref<bucket_core>{&of.core()}, query_of(m), m.when};
      aside(self, of.core().owner(), answer,
            [read, answer, what, m](auto*) { begin(read(what, m), answer); });
    });
  };
}

pending<value> aggregated(const selection& over, const aggregate_records& m) {
  switch (m.what) {
  case aggregate_records::function::sum:
    return over.sum(m.field);
  case aggregate_records::function::avg:
    return over.avg(m.field);
  case aggregate_records::function::min:
    return over.min(m.field);
  case aggregate_records::function::max:
    return over.max(m.field);
  }
  return result<value>{fail(errc::invalid_argument,
                            m.bucket + ": the aggregate " +
                                std::to_string(static_cast<int>(m.what)) +
                                " is none of those that there are",
                            {.bucket = m.bucket})};
}

/// `purge` without a thread that waits: one commit after the other.
struct purging {
  std::shared_ptr<purge_pass> pass;
  reply<number> answer;

  void next(caf::event_based_actor* self) const {
    if (pass->ended())
      return answer(pass->failure() ? result<number>{fail(*pass->failure())} : pass->removed());
    via(self, pass->next(), [self, me = *this](const result<purge_step>& done) {
      guarded(me.answer, [&] {
        me.pass->took(done);
        me.next(self);
      });
    });
  }
};

auto purge_one(gateway_pointer self, const desk_ptr& desk) {
  return [self, desk](const purge_bucket& m) {
    return take<number>(self, desk, m.bucket, [&](const bucket<>& of, const auto& answer) {
      ref<bucket_core> core{&of.core()};
      auto level = m.level.value_or(desk->store().options().durability);
      if (auto why = purge_pass::refusal(*core, level))
        return answer(fail(std::move(*why)));
      aside(self, core->owner(), answer, [core, level, answer](auto* worker) {
        purging{std::make_shared<purge_pass>(core, level), answer}.next(worker);
      });
    });
  };
}

result<value> transact_for(store_state& in, const run_transaction& m) {
  if (!m.body)
    return fail(errc::invalid_argument,
                in.options().name + ": run_transaction: the function is empty");
  auto body = [&m](transaction& tx) { return m.body(tx); };
  return transact_with(body, [&](transaction_body run) {
    return transact(*in.lines(), in.owner(), &in, in.options().durability, m.how, run);
  });
}

result<schema> define_for(store_state& in, const define_bucket& m) {
  return in.define(m.definition).map([](const auto& core) { return core->schema().definition(); });
}

result<schema> change_for(store_state& in, const change_bucket& m) {
  if (auto done = in.update(m.bucket, m.change, m.timeout); !done)
    return fail(std::move(done.error()));
  return in.published_schema(m.bucket);
}

} // namespace

void spawn_aside(gateway_pointer self, runtime& owner, chore work) {
  self->home_system().spawn(
      [present = owner.presence(), work = std::move(work)](caf::event_based_actor* worker) {
        quiet(worker);
        if (present)
          worker->attach_functor([present] {});
        work(worker);
      });
}

store_gateway::behavior_type gateway_behaviour(gateway_pointer self, const desk_ptr& desk) {
  auto& store = desk->store();
  return {
      writing<record, insert_record>(
          self, desk, [](const auto& to, const auto& m) { return to.insert(m.fields, m.how); }),
      writing<records, insert_records>(
          self, desk, [](const auto& to, const auto& m) { return to.insert_many(m.list, m.how); }),
      writing<record, update_record>(
          self, desk,
          [](const auto& to, const auto& m) { return to.update(m.key, m.changes, m.how); }),
      writing<record, touch_record>(
          self, desk, [](const auto& to, const auto& m) { return to.touch(m.key, m.how); }),
      [self, desk](const modify_record& m) { return modify_for(self, desk, m); },
      writing<record, upsert_record>(
          self, desk, [](const auto& to, const auto& m) { return to.upsert(m.fields, m.how); }),
      writing<record, erase_record>(
          self, desk, [](const auto& to, const auto& m) { return to.erase(m.key, m.how); }),
      writing<records, upsert_records>(
          self, desk, [](const auto& to, const auto& m) { return to.upsert_many(m.list, m.how); }),
      writing<number, update_records>(
          self, desk,
          [](const auto& to, const auto& m) { return to.update_many(m.which, m.changes, m.how); }),
      writing<number, erase_records>(
          self, desk, [](const auto& to, const auto& m) { return to.erase_many(m.which); }),
      writing<number, clear_bucket>(self, desk,
                                    [](const auto& to, const auto&) { return to.clear(); }),
      purge_one(self, desk),
      [self, desk](const get_record& m) {
        return take<record>(self, desk, m.bucket, [&](const auto& of, const auto& answer) {
          begin((m.when ? of.at(*m.when) : of).get(m.key), answer);
        });
      },
      [self, desk](const contains_record& m) {
        return take<bool>(self, desk, m.bucket, [&](const auto& of, const auto& answer) {
          answer((m.when ? of.at(*m.when) : of).contains(m.key));
        });
      },
      reading<records, find_records>(self, desk,
                                     [](const auto& of, const auto&) { return of.all(); }),
      reading<records, last_records>(
          self, desk, [](const auto& of, const auto& m) { return of.last(m.count); }),
      reading<std::vector<object>, find_objects>(
          self, desk, [](const auto& of, const auto&) { return of.objects(); }),
      reading<record, find_record>(self, desk,
                                   [](const auto& of, const auto&) { return of.find_one(); }),
      reading<number, count_records>(self, desk,
                                     [](const auto& of, const auto&) { return of.count(); }),
      reading<page, page_records>(
          self, desk, [](const auto& of, const auto& m) { return of.page_of(m.size, m.after); }),
      reading<value, aggregate_records>(self, desk, aggregated),
      reading<groups, group_records>(
          self, desk, [](const auto& of, const auto& m) { return of.group_by(m.keys, m.what); }),
      reading<explanation, explain_query>(
          self, desk,
          [](const auto& of, const auto&) { return pending<explanation>{of.explain()}; }),
      blocking<value, run_transaction>(self, desk, transact_for),
      blocking<schema, define_bucket>(self, desk, define_for),
      blocking<schema, change_bucket>(self, desk, change_for),
      blocking<bool, drop_bucket>(
          self, desk,
          [](store_state& in, const drop_bucket& m) { return in.drop(m.bucket, m.timeout); }),
      [self, desk, &store](const describe_bucket& m) {
        return take_in<schema>(
            self, desk, [&](const auto& answer) { answer(store.published_schema(m.bucket)); });
      },
      [self, desk, &store](const describe_store&) {
        return take_in<store_stats>(self, desk, [&](const auto& answer) { answer(store.stats()); });
      },
      [self, desk](const list_buckets& m) { return answer_for(self, desk, m); },
      [self, desk](const describe_tree& m) { return answer_for(self, desk, m); },
      [self, desk](const describe_restore& m) { return answer_for(self, desk, m); },
      [self, desk](const take_snapshot& m) { return answer_for(self, desk, m); },
      [self, desk](const holdfast::define_query& m) { return answer_for(self, desk, m); },
      [self, desk](const define_function_query& m) { return answer_for(self, desk, m); },
      [self, desk](const holdfast::remove_query& m) { return answer_for(self, desk, m); },
      [self, desk](const list_queries& m) { return answer_for(self, desk, m); },
      [self, desk](const describe_query& m) { return answer_for(self, desk, m); },
      [self, desk](const explain_subscription& m) { return answer_for(self, desk, m); },
      [self, desk](const settle_queries& m) { return answer_for(self, desk, m); },
      [self, desk](const sync_store& m) { return answer_for(self, desk, m); },
      [self, desk](const reopen_store& m) { return answer_for(self, desk, m); },
      [self, desk](const revive_bucket& m) { return answer_for(self, desk, m); },
      [self, desk](const purge_store& m) { return purge_all_for(self, desk, m); },
      [self, desk](const holdfast::run_query& m) { return run_for(self, desk, m); },
      [self, desk](const subscribe_events& m) { return subscribe_for(self, desk, m); },
      [self, desk](const subscribe_query& m) { return subscribe_for(self, desk, m); },
      [self, desk](const unsubscribe& m) { return unsubscribe_for(self, desk, m); },
  };
}

} // namespace holdfast::detail
