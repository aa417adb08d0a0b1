#include <holdfast/store/detail/gateway_way.hpp>

#include <holdfast/store/detail/query_member.hpp>

namespace holdfast {
namespace detail {

gateway_mail::gateway_mail(std::shared_ptr<gateway_way> by, std::shared_ptr<subscriber_queue> from)
    : way{std::move(by)}, queue{from}, ticket{std::move(from)} {
  way->mails_.fetch_add(1);
}

/// Behind it there may be no more; or it is lost, and its ticket ends the subscription.
gateway_mail::~gateway_mail() {
  way->mails_.fetch_sub(1);
  if (auto from = queue.lock(); from && !from->active())
    way->look();
}

std::shared_ptr<subscriber_queue> gateway_way::make_queue(sender send, std::size_t limit,
                                                          overflow policy) {
  auto queue =
      std::make_shared<subscriber_queue>([way = shared_from_this(), send = std::move(send)](
                                             const auto& self) { return way->mail(self, send); },
                                         limit, policy);
  queue->when_closed([way = weak_from_this()](const auto&) {
    if (auto still = way.lock())
      still->look();
  });
  return queue;
}

bool gateway_way::mail(const std::shared_ptr<subscriber_queue>& queue, const sender& send) {
  auto to = caf::actor_cast<caf::actor>(subscriber_);
  if (!to)
    return false;
  auto mail = std::make_shared<gateway_mail>(shared_from_this(), queue);
  {
    const std::lock_guard lock{mutex_};
    if (abandoned_)
      return false;
    if (!open_) {
      kept_ = [mail, send, to = subscriber_] {
        if (auto still = caf::actor_cast<caf::actor>(to))
          send(still, mail);
      };
      return true;
    }
  }
  send(to, std::move(mail));
  return true;
}

void gateway_way::open() {
  std::function<void()> kept;
  {
    const std::lock_guard lock{mutex_};
    open_ = true;
    kept.swap(kept_);
  }
  if (kept)
    kept();
}

void gateway_way::abandon() noexcept {
  std::function<void()> kept;
  const std::lock_guard lock{mutex_};
  abandoned_ = true;
  kept.swap(kept_);
}

void gateway_way::look() const {
  if (auto to = caf::actor_cast<caf::actor>(watcher_))
    caf::anon_send(to, subscription_look{});
}

} // namespace detail

subscription_id change_mail::of() const noexcept { return mail_->way->of(); }
subscription_id query_mail::of() const noexcept { return mail_->way->of(); }

void change_mail::take(const std::function<void(const change&)>& f) const {
  mail_->ticket.take([&](const detail::delivery& d) { f(static_cast<const change&>(*d.what)); });
}

void query_mail::take(const std::function<void(const query_update&)>& f) const {
  mail_->ticket.take([&](const detail::delivery& d) {
    member_->take(static_cast<const detail::query_event&>(*d.what), f);
  });
}

} // namespace holdfast
