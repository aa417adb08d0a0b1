#pragma once

#include <holdfast/runtime/address.hpp>
#include <holdfast/runtime/caf.hpp>
#include <holdfast/runtime/gate.hpp>

#include <atomic>
#include <exception>
#include <memory>
#include <new>

namespace holdfast::detail {

/// The message that ends an actor as a handler does that throws. Throws `std::bad_alloc`.
caf::mailbox_element_ptr exit_element(caf::scheduled_actor& of, std::exception_ptr why);

/// One life of the actor behind an address. Kept until no caller can still hold a pointer to it.
struct incarnation {
  incarnation(address& a, caf::event_based_actor* self)
      : home{&a}, raw{self}, handle{caf::actor_cast<caf::strong_actor_ptr>(self)},
        last_words{exit_element(*self, std::make_exception_ptr(std::bad_alloc{}))} {}

  /// Runs a job inside the actor's exclusivity, unless this life has crashed. Throws what it
  /// throws.
  void run(job& work);
  /// A job threw: takes no more, and tells its caller.
  void fell(job& work, std::string_view why) noexcept;

  address* home; ///< outlives every incarnation it owns
  caf::scheduled_actor* raw;
  caf::strong_actor_ptr handle;
  /// Ends the actor when there is no memory to make another message for that.
  caf::mailbox_element_ptr last_words;
  /// Set by the crash of a job that a caller ran: the actor is on its way down and runs nothing
  /// more.
  std::atomic<bool> crashed{false};
  /// Expires with the actor's behaviour: until then the actor itself may use this object.
  std::weak_ptr<void> behaviour;
  gate::grace_period grace;
};

/// A mailbox element's content: one job. When the last copy is destroyed and the job has not begun,
/// the actor died before it, and the address hands it to the next incarnation.
struct job_message {
  explicit job_message(job* j) noexcept;
  job_message(const job_message& other) noexcept : job_message{other.work} {}
  job_message& operator=(const job_message&) = delete;
  ~job_message();

  job* work;
};

} // namespace holdfast::detail

HOLDFAST_LOCAL_MESSAGE(holdfast::detail::job_message)
