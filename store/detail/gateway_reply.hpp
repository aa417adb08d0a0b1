#pragma once

#include <holdfast/store/detail/gateway.hpp>
#include <holdfast/store/gateway.hpp>

#include <memory>
#include <new>
#include <string>
#include <utility>

namespace holdfast::detail {

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

  /// Who sent the request; null: nobody to be answered.
  caf::actor asker() const { return caf::actor_cast<caf::actor>(promise_.source()); }

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
  } catch (...) {
    answer(fail(errc::invalid_argument, "gateway: the request threw what is not a std::exception"));
  }
}

template <class T>
void begin(pending<T> operation, const reply<T>& answer) {
  std::move(operation).on_completion([answer](result<T> r) { answer(std::move(r)); });
}

/// Takes in a request, which `work(answer)` sees to; or answers that there are too many.
template <class T, class F>
caf::delegated<result<T>> take_in(gateway_pointer self, const desk_ptr& desk, F work) {
  reply<T> answer{self};
  guarded(answer, [&] {
    if (!desk->enter())
      return answer(fail(desk->full()));
    answer.let_in(std::make_shared<const gateway_pass>(desk));
    work(answer);
  });
  return {};
}

/// The same for a request to a bucket, which `work(bucket, answer)` sees to.
template <class T, class F>
caf::delegated<result<T>> take(gateway_pointer self, const desk_ptr& desk, std::string_view name,
                               F work) {
  return take_in<T>(self, desk, [&](const reply<T>& answer) {
    auto found = desk->find(name);
    if (!found)
      return answer(fail(std::move(found.error())));
    work(*found, answer);
  });
}

} // namespace holdfast::detail
