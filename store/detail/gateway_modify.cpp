#include <holdfast/store/detail/gateway_modify.hpp>

#include <holdfast/runtime/time_limit.hpp>
#include <holdfast/store/detail/bucket_core.hpp>
#include <holdfast/store/detail/gateway_aside.hpp>
#include <holdfast/store/detail/shown.hpp>
#include <holdfast/store/detail/update_as_read.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <variant>

namespace holdfast::detail {

namespace {

/// One `modify_record`: reads the record, asks the function, and updates what is still that version
/// of that record; else once more, when what came in between can be read.
///
/// An actor cannot have the right of way, for it would be that of the thread that runs it just
/// then. So what is overtaken too often goes on as a transaction, in the gateway's thread for what
/// waits. One step at a time, in an actor or in that thread.
class modifying : public std::enable_shared_from_this<modifying> {
public:
  modifying(desk_ptr desk, bucket<> to, modify_record what, durability level, reply<record> answer)
      : desk_{std::move(desk)}, to_{std::move(to)}, what_{std::move(what)}, level_{level},
        answer_{std::move(answer)} {}

  void attempt(caf::event_based_actor* self) {
    auto now = to_.get(what_.key).get(); // there already: a read
    if (!now)
      return answer_(std::move(now));
    auto changes = asked(*now);
    if (!changes)
      return answer_(fail(std::move(changes.error())));
    via(self, update_as_read(core_, level_, std::move(*now), *changes),
        [self, me = shared_from_this()](result<record> done) {
          guarded(me->answer_, [&] { me->look_at(self, std::move(done)); });
        });
  }

private:
  /// As many as `bucket<>::modify` has, of either kind.
  static constexpr std::uint64_t tries_as_an_actor = 1'000;
  static constexpr int tries_with_the_way = 1'000;

  void look_at(caf::event_based_actor* self, result<record> done) {
    if (done || !std::holds_alternative<commit_conflict>(done.error().detail()))
      return answer_(std::move(done));
    if (tries_ >= tries_as_an_actor || until_half_.passed())
      return go_on_in_the_thread(done.error());
    attempt(self); // what came in between can be read by now
  }

  void go_on_in_the_thread(const error& why) {
    const gateway_desk::use in_use{*desk_};
    if (!in_use)
      return answer_(fail(errc::stopped, "gateway: the store has stopped"));
    auto posted = desk_->post([me = shared_from_this()] {
      guarded(me->answer_, [&] { me->answer_(me->done_exclusively()); });
    });
    if (!posted)
      answer_(fail(posted.error() == errc::unavailable ? in_vain(why) : posted.error()));
  }

  /// With the right of way from the first conflict on.
  result<record> done_exclusively() {
    bool is_its_own = false; // the error is the function's
    auto in_one = [&](transaction& tx) -> result<record> {
      auto mine = tx.in(to_);
      auto now = mine.get(what_.key).get();
      if (!now)
        return now;
      auto changes = asked(*now);
      if (!changes) {
        is_its_own = true;
        return fail(std::move(changes.error()));
      }
      return mine.update(what_.key, *changes).get();
    };
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        began_ + default_timeout - core_->owner().clock().steady());
    const transact_options how{
        .retries = 0, .exclusive_retries = tries_with_the_way, .timeout = left};
    auto done = transact_with(in_one, [&](transaction_body run) {
      return transact(core_->lines(), core_->owner(), nullptr, level_, how, run);
    });
    if (!done && !is_its_own && (done.error() == errc::conflict || done.error() == errc::timeout))
      return fail(in_vain(done.error()));
    return done;
  }

  error in_vain(const error& why) const {
    return error{why.code(),
                 subject() + "others changed the record meanwhile, each time that it was tried, " +
                     std::to_string(tries_) + " in all",
                 place(), why.detail()}
        .because(why);
  }

  /// What the function says. What it throws is told of the record.
  result<object> asked(const record& now) {
    ++tries_;
    const auto threw = [&](const std::string& it) {
      return fail(errc::invalid_argument, subject() + "the function threw" + it, place());
    };
    try {
      return what_.change(now);
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& e) {
      return threw(std::string{": "} + e.what());
    } catch (...) {
      return threw(" what is not a std::exception");
    }
  }

  std::string subject() const {
    return what_.bucket + ": " + shown(what_.key) + ": modify_record: ";
  }
  location place() const { return {.bucket = what_.bucket, .key = what_.key.to_string()}; }

  const desk_ptr desk_;
  const bucket<> to_;
  const ref<bucket_core> core_{&to_.core()};
  const modify_record what_;
  const durability level_;
  const reply<record> answer_;
  const std::chrono::nanoseconds began_ = core_->owner().clock().steady();
  /// So that half of its time is left for the thread.
  const time_limit until_half_{core_->owner().clock(), default_timeout / 2};
  std::uint64_t tries_ = 0;
};

} // namespace

caf::delegated<result<record>> modify_for(gateway_pointer self, const desk_ptr& desk,
                                          const modify_record& m) {
  return take<record>(self, desk, m.bucket, [&](const bucket<>& of, const reply<record>& answer) {
    if (!m.change)
      return answer(
          fail(errc::invalid_argument, m.bucket + ": modify_record: the function is empty"));
    auto level = m.level.value_or(desk->store().options().durability);
    auto one = std::make_shared<modifying>(desk, of, m, level, answer);
    aside(self, of.core().owner(), answer, [one](auto* worker) { one->attempt(worker); });
  });
}

} // namespace holdfast::detail
