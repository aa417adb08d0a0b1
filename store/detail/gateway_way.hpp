#pragma once

#include <holdfast/runtime/detail/mail_ticket.hpp>
#include <holdfast/store/gateway_subscriptions.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace holdfast::detail {

/// To the actor that watches a subscription: it may be over.
struct subscription_look {};
/// To the same: it has ended.
struct subscription_end {};

class gateway_way;

/// What travels in a mail to a subscriber.
struct gateway_mail {
  gateway_mail(std::shared_ptr<gateway_way> by, std::shared_ptr<subscriber_queue> from);
  gateway_mail(const gateway_mail&) = delete;
  gateway_mail& operator=(const gateway_mail&) = delete;
  ~gateway_mail();

  std::shared_ptr<gateway_way> way;
  std::weak_ptr<subscriber_queue> queue;
  mail_ticket ticket;
};

/// The way from a subscription's queue to the actor that subscribed. It is closed until the actor
/// has the answer to its request: what comes first is kept back. Thread-safe.
class gateway_way : public std::enable_shared_from_this<gateway_way> {
public:
  using sender = std::function<void(const caf::actor& to, std::shared_ptr<gateway_mail> mail)>;

  gateway_way(subscription_id of, const caf::actor& subscriber, const caf::actor& watcher)
      : of_{of}, subscriber_{caf::actor_cast<caf::actor_addr>(subscriber)},
        watcher_{caf::actor_cast<caf::actor_addr>(watcher)} {}

  subscription_id of() const noexcept { return of_; }
  /// A queue that mails what it has, by `send`.
  std::shared_ptr<subscriber_queue> make_queue(sender send, std::size_t limit, overflow policy);
  void open();
  /// Lets go of what is kept back: the subscription did not come about.
  void abandon() noexcept;
  /// Asks the watcher to look whether it is over.
  void look() const;
  /// Mails that are not handled yet.
  std::size_t mails() const noexcept { return mails_.load(); }

private:
  friend gateway_mail;
  bool mail(const std::shared_ptr<subscriber_queue>& queue, const sender& send);

  const subscription_id of_;
  const caf::actor_addr subscriber_, watcher_;
  std::atomic<std::size_t> mails_{0};
  std::mutex mutex_;
  bool open_ = false;
  bool abandoned_ = false;
  std::function<void()> kept_; ///< sends the mail that came too soon
};

} // namespace holdfast::detail

HOLDFAST_LOCAL_MESSAGE(holdfast::detail::subscription_look)
HOLDFAST_LOCAL_MESSAGE(holdfast::detail::subscription_end)
