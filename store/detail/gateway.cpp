#include <holdfast/store/detail/gateway.hpp>

#include <holdfast/store/detail/bucket_core.hpp>
#include <holdfast/store/gateway.hpp>

#include <new>
#include <utility>

namespace holdfast {

namespace detail {

namespace {

using desk_ptr = std::shared_ptr<gateway_desk>;
using gateway_pointer = store_gateway::pointer;

/// One request that waits for its answer.
class gateway_pass {
public:
  explicit gateway_pass(desk_ptr desk) : desk_{std::move(desk)} {}
  gateway_pass(const gateway_pass&) = delete;
  gateway_pass& operator=(const gateway_pass&) = delete;
  ~gateway_pass() { desk_->leave(); }

private:
  desk_ptr desk_;
};

/// The way back to who sent a request, apart from the gateway: that one may be gone by then (and
/// CAF would drop its promises in silence), and an answer may come on any thread. It does what
/// CAF's promise does, but for the execution unit.
template <class T>
class reply {
public:
  explicit reply(gateway_pointer self)
      : promise_{self->make_response_promise()}, from_{self->ctrl()} {}

  void let_in(std::shared_ptr<const gateway_pass> pass) { pass_ = std::move(pass); }

  void operator()(result<T> answer) const {
    auto content = caf::make_message(std::move(answer));
    if (auto stages = promise_.stages(); !stages.empty()) {
      auto next = std::move(stages.back());
      stages.pop_back();
      next->enqueue(caf::make_mailbox_element(promise_.source(), promise_.id(), std::move(stages),
                                              std::move(content)),
                    nullptr);
    } else if (auto& to = promise_.source()) {
      to->enqueue(from_, promise_.id().response_id(), std::move(content), nullptr);
    }
  }

private:
  caf::response_promise promise_;
  caf::strong_actor_ptr from_;
  std::shared_ptr<const gateway_pass> pass_;
};

/// Runs `f`; what it throws is the answer.
template <class T, class F>
void guarded(const reply<T>& answer, F f) {
  try {
    f();
  } catch (const std::bad_alloc&) {
    answer(fail(errc::out_of_memory, "gateway: no memory for the request"));
  } catch (const std::exception& e) {
    answer(fail(errc::invalid_argument, std::string{"gateway: "} + e.what()));
  }
}

template <class T>
void begin(pending<T> operation, const reply<T>& answer) {
  std::move(operation).on_completion([answer](result<T> r) { answer(std::move(r)); });
}

/// Takes in a request to a bucket, which `work(bucket, answer)` sees to; or answers that there are
/// too many.
template <class T, class F>
caf::delegated<result<T>> take(gateway_pointer self, const desk_ptr& desk, std::string_view name,
                               F work) {
  reply<T> answer{self};
  guarded(answer, [&] {
    if (!desk->enter())
      return answer(fail(desk->full()));
    answer.let_in(std::make_shared<const gateway_pass>(desk));
    auto found = desk->find(name);
    if (!found)
      return answer(fail(std::move(found.error())));
    work(*found, answer);
  });
  return {};
}

const query& query_of(const aggregate_records& m) { return m.over; }
template <class Message>
const query& query_of(const Message& m) {
  return m.what;
}

template <class T, class Message, class F>
auto writing(gateway_pointer self, const desk_ptr& desk, F write) {
  return [self, desk, write](const Message& m) {
    return take<T>(self, desk, m.bucket, [&](const bucket<>& to, const reply<T>& answer) {
      begin(write(m.level ? to.with(*m.level) : to, m), answer);
    });
  };
}

/// A read that may take long runs in an actor of its own, so that it holds up nobody else.
template <class T, class Message, class F>
auto reading(gateway_pointer self, const desk_ptr& desk, F read) {
  return [self, desk, read](const Message& m) {
    return take<T>(self, desk, m.bucket, [&](const bucket<>& of, const reply<T>& answer) {
      selection what{ref<bucket_core>{&of.core()}, query_of(m), m.when};
      auto present = of.core().owner().presence();
      self->home_system().spawn([read, answer, what, m, present](caf::event_based_actor* reader) {
        quiet(reader);
        if (present)
          reader->attach_functor([present] {});
        guarded(answer, [&] { begin(read(what, m), answer); });
      });
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
    break;
  }
  return over.max(m.field);
}

store_gateway::behavior_type behaviour_of(gateway_pointer self, const desk_ptr& desk) {
  using number = std::uint64_t;
  return {
      writing<record, insert_record>(
          self, desk, [](const bucket<>& to, const auto& m) { return to.insert(m.fields); }),
      writing<records, insert_records>(
          self, desk, [](const bucket<>& to, const auto& m) { return to.insert_many(m.list); }),
      writing<record, update_record>(
          self, desk,
          [](const bucket<>& to, const auto& m) { return to.update(m.key, m.changes); }),
      writing<record, upsert_record>(
          self, desk, [](const bucket<>& to, const auto& m) { return to.upsert(m.fields); }),
      writing<record, erase_record>(
          self, desk, [](const bucket<>& to, const auto& m) { return to.erase(m.key); }),
      writing<records, upsert_records>(
          self, desk, [](const bucket<>& to, const auto& m) { return to.upsert_many(m.list); }),
      writing<number, update_records>(
          self, desk,
          [](const bucket<>& to, const auto& m) { return to.update_many(m.which, m.changes); }),
      writing<number, erase_records>(
          self, desk, [](const bucket<>& to, const auto& m) { return to.erase_many(m.which); }),
      writing<number, clear_bucket>(self, desk,
                                    [](const bucket<>& to, const auto&) { return to.clear(); }),
      [self, desk](const get_record& m) {
        return take<record>(self, desk, m.bucket,
                            [&](const bucket<>& of, const reply<record>& answer) {
                              begin((m.when ? of.at(*m.when) : of).get(m.key), answer);
                            });
      },
      reading<records, find_records>(self, desk,
                                     [](const selection& of, const auto&) { return of.all(); }),
      reading<record, find_record>(self, desk,
                                   [](const selection& of, const auto&) { return of.find_one(); }),
      reading<number, count_records>(self, desk,
                                     [](const selection& of, const auto&) { return of.count(); }),
      reading<page, page_records>(
          self, desk,
          [](const selection& of, const auto& m) { return of.page_of(m.size, m.after); }),
      reading<value, aggregate_records>(self, desk, aggregated),
  };
}

} // namespace

child_spec gateway_desk::spec() {
  child_spec spec;
  spec.id = "gateway";
  spec.start = [desk = shared_from_this()](start_context& context) -> result<caf::actor> {
    auto started = context.system.spawn([desk](gateway_pointer self) {
      quiet(self);
      return behaviour_of(self, desk);
    });
    auto plain = caf::actor_cast<caf::actor>(started);
    std::lock_guard lock{desk->mutex_};
    if (!desk->closed_)
      desk->current_ = plain;
    return plain;
  };
  return spec;
}

caf::actor gateway_desk::current() const {
  std::lock_guard lock{mutex_};
  return current_;
}

void gateway_desk::close() {
  std::lock_guard lock{mutex_};
  closed_ = true;
  current_ = nullptr;
}

bool gateway_desk::enter() noexcept {
  if (waiting_.fetch_add(1, std::memory_order_relaxed) < limit_)
    return true;
  leave();
  return false;
}

error gateway_desk::full() const {
  return error{errc::overloaded,
               "gateway: " + std::to_string(limit_) + " requests already wait for their answers"};
}

} // namespace detail

result<store_gateway> gateway_of(const store& db) {
  if (auto running = db.gateway().current())
    return caf::actor_cast<store_gateway>(running);
  return fail(errc::stopped, "gateway: the store has stopped");
}

} // namespace holdfast
