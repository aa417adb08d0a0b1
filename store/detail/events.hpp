#pragma once

#include <holdfast/runtime/event_bus.hpp>
#include <holdfast/store/detail/commit_line.hpp>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace holdfast::detail {

/// The store's events: what buckets commit, carried to subscribers by the event bus. Follows the
/// feed only while there is a subscriber. Thread-safe.
class store_events {
public:
  store_events(runtime& rt, std::shared_ptr<commit_lines> lines);
  store_events(const store_events&) = delete;
  store_events& operator=(const store_events&) = delete;
  ~store_events();

  const event_bus& bus() const noexcept { return bus_; }

  /// `enter(bus, options)` subscribes to that; from then on all that is sealed is told, and nothing
  /// else.
  template <class F>
  subscription subscribe(const topic_pattern& to, subscriber_options options, F&& enter) {
    const std::lock_guard lock(source_->mutex);
    source_->want(to);
    const auto [memory, durable] =
        source_->lines->follow(source_->reader, source_->interest()).sealed;
    options.accept = [memory = memory, durable = durable,
                      also = std::move(options.accept)](const event& e) {
      auto& c = static_cast<const change&>(e);
      // One over both lines is sealed when it is in the durable one.
      const auto sealed = c.persistent || c.also_seq == 0 ? c.seq : c.also_seq;
      const auto before = c.persistent || c.also_seq > 0 ? durable : memory;
      return sealed > before && (!also || also(e));
    };
    return enter(bus_, std::move(options));
  }

private:
  struct source final : event_source {
    source(event_bus b, std::shared_ptr<commit_lines> l);
    bool pull(const deliver& to) override;
    void want(const topic_pattern& what);
    /// All that is wanted, for the feed.
    std::shared_ptr<const feed_interest> interest() const;

    event_bus bus;
    std::shared_ptr<commit_lines> lines;
    std::mutex mutex; ///< a first subscriber against the end of the last one
    feed_reader reader;
    std::vector<std::string> names;   ///< of buckets that are subscribed to by name
    bool all = false;                 ///< somebody subscribed to more than one bucket
    std::shared_ptr<const commit> at; ///< being told
    std::size_t told = 0;             ///< of its changes, so that a restart repeats none
  };

  event_bus bus_;
  std::shared_ptr<source> source_;
};

} // namespace holdfast::detail
