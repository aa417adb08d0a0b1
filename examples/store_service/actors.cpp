// Ordinary CAF actors that keep what they know in the store. None of them blocks, and none of them
// notices when the actor of a bucket crashes.

#include "actors.hpp"

#include <iostream>
#include <stdexcept>
#include <utility>

namespace store_service {

using namespace holdfast;
using namespace std::chrono_literals;

namespace {

std::chrono::sys_time<std::chrono::milliseconds> now() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

/// The printer: one step after the other, each when the store has answered the one before.
struct printing {
  caf::event_based_actor* self;
  bucket<print_job> jobs;

  /// A job that was being printed when the printer crashed comes first: it is the oldest.
  void next() const {
    auto open = f<&print_job::state>.in(job_state::waiting, job_state::printing);
    via(self, jobs.find_one(open), [me = *this](result<print_job> found) {
      if (found)
        me.print(*found);
      else
        me.self->delayed_send(me.self, 20ms, tick{});
    });
  }

  void print(const print_job& what) const {
    auto begun = jobs.update(what.id, set<&print_job::state>(job_state::printing),
                             set<&print_job::attempts>(what.attempts + 1));
    via(self, std::move(begun), [me = *this](result<print_job> now_printing) {
      if (!now_printing) // the bucket crashed meanwhile, perhaps
        return me.self->delayed_send(me.self, 20ms, tick{});
      if (now_printing->pages % 7 == 0 && now_printing->attempts == 1)
        throw std::runtime_error("paper jam"); // the supervisor starts another printer
      me.self->delayed_send(me.self, now_printing->pages * 1ms, printed{now_printing->id});
    });
  }

  void finish(std::int64_t id) const {
    via(self, jobs.get(id), [me = *this, id](result<print_job> done) {
      if (!done)
        return me.self->send(me.self, tick{});
      auto took = std::max(now() - done->ordered, 0ms);
      via(me.self,
          me.jobs.update(id, set<&print_job::state>(job_state::done), set<&print_job::took>(took)),
          [me](const result<print_job>&) { me.self->send(me.self, tick{}); });
    });
  }
};

} // namespace

caf::behavior desk(caf::event_based_actor* self, surroundings* around) {
  quiet(self); // CAF's default handlers print to stdout
  auto gateway = gateway_of(around->db).value();
  return {
      [self, gateway](const order& o) {
        auto promise = self->make_response_promise<accepted>();
        print_job wanted{.customer = o.customer, .pages = o.pages, .ordered = now(), .took = {}};
        self->request(gateway, caf::infinite, insert_record{"jobs", to_object(wanted)})
            .then(
                [promise](const result<record>& stored) mutable {
                  promise.deliver(
                      accepted{stored.map([](const record& r) { return r.key().as_int(); })});
                },
                [promise](const caf::error& gone) mutable { promise.deliver(gone); });
        return promise;
      },
      // The gateway answers the one who asked.
      [self, gateway](const look_up& q) {
        return self->delegate(gateway, get_record{.bucket = "jobs", .key = q.id});
      },
  };
}

caf::behavior printer(caf::event_based_actor* self, surroundings* around) {
  quiet(self);
  printing me{self, around->jobs};
  self->send(self, tick{});
  return {[me](tick) { me.next(); }, [me](const printed& p) { me.finish(p.id); }};
}

caf::behavior customer(caf::event_based_actor* self, surroundings* around) {
  quiet(self);
  auto desk = around->the_desk();
  self->send(self, tick{});
  auto ordered = std::make_shared<int>(0);
  return {[self, around, desk, ordered](tick) {
    auto pages = ++*ordered % 10 == 0 ? 0 : 1 + *ordered % 15; // nobody prints 0 pages
    self->request(desk, caf::infinite, order{"Ann", pages})
        .then(
            [self, around, desk](const accepted& answer) {
              if (!answer.id)
                return static_cast<void>(++around->refused);
              ++around->accepted;
              self->request(desk, caf::infinite, look_up{*answer.id})
                  .then([around](const result<record>& r) { around->looked_up += r.has_value(); },
                        [](const caf::error&) {});
            },
            [](const caf::error&) {});
    self->delayed_send(self, 20ms, tick{});
  }};
}

caf::behavior reporter(caf::event_based_actor* self, surroundings* around) {
  quiet(self);
  auto gateway = gateway_of(around->db).value();
  self->delayed_send(self, 500ms, tick{});
  return {[self, gateway](tick) {
    self->request(gateway, caf::infinite,
                  count_records{"jobs", query{f<&print_job::state> != job_state::done}})
        .then([self, gateway](const result<std::uint64_t>& open) {
          self->request(gateway, caf::infinite,
                        aggregate_records{"jobs", aggregate_records::function::avg, "took"})
              .then([open](const result<value>& took) {
                if (open && took)
                  std::cout << *open << " jobs are open; a job takes " << *took << " ms on average"
                            << std::endl;
              });
        });
    self->delayed_send(self, 500ms, tick{});
  }};
}

} // namespace store_service
