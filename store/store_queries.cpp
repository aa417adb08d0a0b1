#include <holdfast/store/store.hpp>

#include <holdfast/store/detail/store_state.hpp>

namespace holdfast {

result<void> store::add_query(std::string_view name, detail::query_function what) {
  return state_->queries().define(name, std::move(what));
}

result<void> store::define_query(std::string_view name, declared_query what) {
  return state_->define_query(name, std::move(what));
}

bool store::remove_query(std::string_view name) { return state_->queries().remove(name); }
std::vector<query_info> store::queries() const { return state_->queries().infos(); }
result<query_info> store::query_info_of(std::string_view name) const {
  return state_->queries().info(name);
}

result<query_value> store::run_query(std::string_view name, const object& parameters,
                                     const read_filters& filters) const {
  return state_->queries().run(name, parameters, filters);
}

result<subscription> store::subscribe_query(std::string_view name, object parameters,
                                            std::function<void(const query_update&)> call,
                                            live_options options) {
  if (!call)
    return fail(errc::invalid_argument,
                state_->options().name + ": subscribe: the handler is empty");
  return state_->queries().subscribe(name, std::move(parameters), std::move(call),
                                     std::move(options));
}

result<query_why> store::query_why_of(std::string_view name, const object& parameters,
                                      const read_filters& filters) const {
  return state_->queries().why(name, parameters, filters);
}

result<void> store::settle(std::chrono::milliseconds timeout) {
  return state_->queries().settle(timeout);
}

result<void> store::crash_queries(std::chrono::milliseconds timeout) {
  return state_->queries().crash(timeout);
}

} // namespace holdfast
