#pragma once

#include <holdfast/runtime/caf.hpp>
#include <holdfast/runtime/event_bus.hpp>
#include <holdfast/store/change.hpp>
#include <holdfast/store/durability.hpp>
#include <holdfast/store/live_query.hpp>
#include <holdfast/store/read_filters.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

/// What an actor may ask of a store's gateway (store/gateway.hpp) about the store as a whole:
/// queries by name, and to be told of changes. All stay within the process.
namespace holdfast {

namespace detail {
struct gateway_mail;
class query_member;
} // namespace detail

/// Stands for a subscription that an actor has asked the gateway for.
struct subscription_id {
  std::uint64_t number = 0; ///< never used again in its store
  friend bool operator==(const subscription_id&, const subscription_id&) = default;
};

/// As `store::purge`; the answer is the number of records.
struct purge_store {
  std::optional<durability> level{};
};
/// As `store::run`. The query's function is called in an actor, so it must not block.
struct run_query {
  std::string query;
  object parameters{};
  read_filters filters{};
};

/// As `store::on`: the subscriber gets a `change_mail` when there are changes that the pattern
/// matches, of what is sealed from now on. The answer comes before the first mail. The subscription
/// ends with `unsubscribe`, when the subscriber ends, when its queue's overflow policy disconnects
/// it, or when a mail is lost.
struct subscribe_events {
  std::string pattern;
  /// Null: whoever sent the request.
  caf::actor subscriber{};
  /// Its functions are called in actors, so they must be short.
  subscriber_options how{};
};
/// As `store::subscribe`: the subscriber gets a `query_mail` when there is a value, the first one
/// included. It ends as above, and when the query is removed, which it is told.
struct subscribe_query {
  std::string query;
  object parameters{};
  caf::actor subscriber{}; ///< null: whoever sent the request
  live_options how{};
};
/// Ends a subscription; false if there is none of that id any more. When the answer is sent, mails
/// that are still on their way hand over nothing.
struct unsubscribe {
  subscription_id what;
};

/// What a subscriber of events gets: says that changes wait, `take` hands them over. However slow
/// the subscriber, there is one mail at a time, and what waits meanwhile is bounded by
/// `subscriber_options`.
class change_mail {
public:
  explicit change_mail(std::shared_ptr<detail::gateway_mail> mail) : mail_{std::move(mail)} {}
  subscription_id of() const noexcept;
  /// Calls `f` for each change that waits, in order, at most for 64; more come with a mail of their
  /// own. Call it once, in the actor.
  void take(const std::function<void(const change&)>& f) const;

private:
  std::shared_ptr<detail::gateway_mail> mail_;
};

/// What a subscriber of a query gets: says that there is a value that it has not seen, `take` hands
/// it over. Of several that come meanwhile, the last one.
class query_mail {
public:
  query_mail(std::shared_ptr<detail::gateway_mail> mail,
             std::shared_ptr<detail::query_member> member)
      : mail_{std::move(mail)}, member_{std::move(member)} {}
  subscription_id of() const noexcept;
  /// Calls `f` with the value, unless it is the one that this subscriber has. Call it once, in the
  /// actor.
  void take(const std::function<void(const query_update&)>& f) const;

private:
  std::shared_ptr<detail::gateway_mail> mail_;
  std::shared_ptr<detail::query_member> member_;
};

} // namespace holdfast

HOLDFAST_LOCAL_MESSAGE(holdfast::purge_store)
HOLDFAST_LOCAL_MESSAGE(holdfast::run_query)
HOLDFAST_LOCAL_MESSAGE(holdfast::subscribe_events)
HOLDFAST_LOCAL_MESSAGE(holdfast::subscribe_query)
HOLDFAST_LOCAL_MESSAGE(holdfast::unsubscribe)
HOLDFAST_LOCAL_MESSAGE(holdfast::change_mail)
HOLDFAST_LOCAL_MESSAGE(holdfast::query_mail)
