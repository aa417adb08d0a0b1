#pragma once

#include <holdfast/store/gateway.hpp>

#include <gmock/gmock.h>

#include <chrono>
#include <future>
#include <stdexcept>
#include <string>
#include <utility>

namespace holdfast_tests {

struct guest {
  std::string id;
  int age = 0;
};
struct go {};

} // namespace holdfast_tests

template <>
inline constexpr auto holdfast::mapping<holdfast_tests::guest> =
    holdfast::map_to<holdfast_tests::guest>("guests", key<&holdfast_tests::guest::id>(),
                                            field<&holdfast_tests::guest::age>(indexed,
                                                                               minimum(0)));
HOLDFAST_LOCAL_MESSAGE(holdfast_tests::go)

namespace holdfast::testing {

using holdfast_tests::guest;

/// A store that is asked through its gateway; with threads, or on the deterministic scheduler.
struct a_gateway : ::testing::TestWithParam<bool> {
  runtime rt{{.deterministic = GetParam()}};
  store db = std::move(*store::start({.gateway_requests = 64, .runtime = &rt}));
  bucket<guest> guests = std::move(*db.define<guest>());
  store_gateway gateway = gateway_of(db).value();

  ~a_gateway() override { gateway = nullptr; }

  /// Waits for a future that actors fulfil.
  template <class T>
  T wait(std::future<T> outcome) {
    while (rt.options().deterministic &&
           outcome.wait_for(std::chrono::seconds{0}) != std::future_status::ready)
      if (!rt.run_one())
        throw std::logic_error("the actors have come to rest without an answer");
    return outcome.get();
  }

  /// What an actor gets that sends the request. `stopped` stands for a gateway that is gone.
  template <class T, class Request>
  result<T> ask(Request request) {
    std::promise<result<T>> answer;
    rt.system().spawn([&, request](caf::event_based_actor* self) {
      quiet(self);
      self->request(gateway, caf::infinite, request)
          .then([&](const result<T>& r) { answer.set_value(r); },
                [&](const caf::error&) {
                  answer.set_value(fail(errc::stopped, "the gateway is gone"));
                });
    });
    return wait(answer.get_future());
  }
};

} // namespace holdfast::testing
