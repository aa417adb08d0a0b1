#include <holdfast/store/detail/gateway_administration.hpp>

#include <holdfast/store/detail/gateway_aside.hpp>
#include <holdfast/store/detail/store_state.hpp>

namespace holdfast::detail {
namespace {

/// What is there already.
template <class T, class F>
caf::delegated<result<T>> at_once(gateway_pointer self, const desk_ptr& desk, F look) {
  return take_in<T>(self, desk, [&](const reply<T>& answer) { answer(look(desk->store())); });
}

/// What runs a query, or looks at all of a bucket.
template <class T, class F>
caf::delegated<result<T>> in_an_actor(gateway_pointer self, const desk_ptr& desk, F run) {
  return take_in<T>(self, desk, [&](const reply<T>& answer) {
    aside_in_store(self, desk, answer, [desk, answer, run](auto*) { answer(run(desk->store())); });
  });
}

} // namespace

caf::delegated<result<std::vector<std::string>>>
answer_for(gateway_pointer self, const desk_ptr& desk, const list_buckets&) {
  return at_once<std::vector<std::string>>(self, desk,
                                           [](const store_state& in) { return in.names(); });
}

caf::delegated<result<std::string>> answer_for(gateway_pointer self, const desk_ptr& desk,
                                               const describe_tree&) {
  return at_once<std::string>(self, desk, [](const store_state& in) { return in.tree(); });
}

caf::delegated<result<restore_report>> answer_for(gateway_pointer self, const desk_ptr& desk,
                                                  const describe_restore&) {
  return at_once<restore_report>(self, desk, [](const store_state& in) { return in.restored(); });
}

caf::delegated<result<snapshot>> answer_for(gateway_pointer self, const desk_ptr& desk,
                                            const take_snapshot&) {
  return at_once<snapshot>(self, desk, [](const store_state& in) { return in.snapshot(); });
}

caf::delegated<result<void>> answer_for(gateway_pointer self, const desk_ptr& desk,
                                        const holdfast::define_query& m) {
  return in_an_actor<void>(self, desk,
                           [m](store_state& in) { return in.define_query(m.query, m.what); });
}

caf::delegated<result<void>> answer_for(gateway_pointer self, const desk_ptr& desk,
                                        const define_function_query& m) {
  return at_once<void>(self, desk, [&m](const store_state& in) -> result<void> {
    if (!m.what.run)
      return fail(errc::invalid_argument,
                  in.options().name + ": define_function_query: the function is empty");
    return in.queries().define(m.query, m.what);
  });
}

caf::delegated<result<bool>> answer_for(gateway_pointer self, const desk_ptr& desk,
                                        const holdfast::remove_query& m) {
  return in_an_actor<bool>(
      self, desk, [m](store_state& in) -> result<bool> { return in.queries().remove(m.query); });
}

caf::delegated<result<std::vector<query_info>>>
answer_for(gateway_pointer self, const desk_ptr& desk, const list_queries&) {
  return at_once<std::vector<query_info>>(
      self, desk, [](const store_state& in) { return in.queries().infos(); });
}

caf::delegated<result<query_info>> answer_for(gateway_pointer self, const desk_ptr& desk,
                                              const describe_query& m) {
  return at_once<query_info>(self, desk,
                             [&m](const store_state& in) { return in.queries().info(m.query); });
}

caf::delegated<result<query_why>> answer_for(gateway_pointer self, const desk_ptr& desk,
                                             const explain_subscription& m) {
  return at_once<query_why>(self, desk, [&m](const store_state& in) {
    return in.queries().why(m.query, m.parameters, m.filters);
  });
}

caf::delegated<result<void>> answer_for(gateway_pointer self, const desk_ptr& desk,
                                        const settle_queries& m) {
  return blocking<void, settle_queries>(self, desk, [](store_state& in, const settle_queries& how) {
    return in.queries().settle(how.timeout);
  })(m);
}

caf::delegated<result<void>> answer_for(gateway_pointer self, const desk_ptr& desk,
                                        const sync_store& m) {
  return blocking<void, sync_store>(
      self, desk, [](store_state& in, const sync_store& how) { return in.sync(how.timeout); })(m);
}

caf::delegated<result<reopen_report>> answer_for(gateway_pointer self, const desk_ptr& desk,
                                                 const reopen_store& m) {
  return blocking<reopen_report, reopen_store>(
      self, desk, [](store_state& in, const reopen_store&) { return in.reopen(); })(m);
}

caf::delegated<result<void>> answer_for(gateway_pointer self, const desk_ptr& desk,
                                        const revive_bucket& m) {
  return blocking<void, revive_bucket>(self, desk, [](store_state& in, const revive_bucket& which) {
    return in.revive(which.bucket);
  })(m);
}

} // namespace holdfast::detail
