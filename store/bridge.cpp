#include <holdfast/store/bridge.hpp>

#include <exception>
#include <mutex>

namespace holdfast {

struct bridge::state {
  event_receiver to;
  bridge_options options;
  mutable std::mutex mutex; ///< the counters
  bridge_counters counters;

  void forward(const change& c) {
    try {
      if (options.filter && !options.filter(c))
        return count(&bridge_counters::filtered);
      auto where = options.map_topic ? options.map_topic(c) : c.where().text();
      to(where, options.map_data ? options.map_data(c) : event_data(c));
      count(&bridge_counters::forwarded);
    } catch (const std::exception& e) {
      failed(e.what());
    } catch (...) { // whatever a user's code throws ends here, and is counted
      failed("something that is not a std::exception");
    }
  }
  void count(std::uint64_t bridge_counters::*what) {
    const std::lock_guard lock{mutex};
    ++(counters.*what);
  }
  void failed(const char* why) {
    const std::lock_guard lock{mutex};
    ++counters.failed;
    counters.last_failure = why;
  }
};

object event_data(const change& c) {
  object out{{"type", to_string(c.kind)}, {"bucket", c.bucket()}};
  if (auto key = c.key(); !key.is_null())
    out.set("key", value{key});
  else
    out.set("count", c.count);
  if (c.before && c.after) {
    out.set("old_record", c.before.to_object());
    out.set("new_record", c.after.to_object());
  } else if (c.before || c.after) {
    out.set("record", (c.after ? c.after : c.before).to_object());
  }
  out.set("seq", c.seq);
  out.set("cause", to_string(c.why));
  return out;
}

result<bridge> bridge::connect(store& from, event_receiver to, bridge_options options) {
  if (!to)
    return fail(errc::invalid_argument, "bridge: the receiver is empty");
  auto made = std::make_shared<state>();
  made->to = std::move(to);
  made->options = std::move(options);
  auto token = from.on(
      made->options.pattern, [made](const change& c) { made->forward(c); }, made->options.queue);
  if (!token)
    return fail(std::move(token.error()));
  return bridge{std::move(made), std::move(*token)};
}

bridge_counters bridge::counters() const {
  const std::lock_guard lock{state_->mutex};
  auto out = state_->counters;
  out.dropped = token_.dropped();
  return out;
}

} // namespace holdfast
