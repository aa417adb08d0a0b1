#include "gateway_fixture.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>

namespace holdfast {
namespace {

using holdfast_tests::go;
using holdfast_tests::guest;
using testing::a_gateway;
using function = aggregate_records::function;

TEST_P(a_gateway, does_what_a_handle_does) {
  auto ann = ask<record>(insert_record{"guests", to_object(guest{"ann", 30})});
  ASSERT_TRUE(ann) << ann.error().to_string();
  EXPECT_EQ((*ann)["age"], 30);
  EXPECT_EQ(
      ask<records>(
          insert_records{"guests", {{{"id", "bob"}, {"age", 20}}, {{"id", "cyd"}, {"age", 40}}}})
          ->size(),
      2u);
  EXPECT_EQ((*ask<record>(update_record{"guests", "bob", {{"age", 21}}}))["age"], 21);
  EXPECT_EQ((*ask<record>(upsert_record{"guests", {{"id", "dan"}, {"age", 50}}}))["id"], "dan");
  EXPECT_EQ(from_record<guest>(*ask<record>(get_record{"guests", "ann"}))->age, 30);
  auto adults = query{f<&guest::age> >= 30}.order_by("age", direction::descending);
  auto found = ask<records>(find_records{"guests", adults});
  ASSERT_TRUE(found) << found.error().to_string();
  EXPECT_EQ(detail::from_records<guest>(*found)->front().id, "dan");
  EXPECT_EQ(found->size(), 3u);
  EXPECT_EQ(*ask<std::uint64_t>(count_records{"guests", adults}), 3u);
  EXPECT_EQ((*ask<record>(find_record{"guests", adults}))["id"], "dan");
  auto page_1 = ask<page>(page_records{"guests", adults, 2});
  EXPECT_EQ(page_1->items.size(), 2u);
  EXPECT_EQ(ask<page>(page_records{"guests", adults, 2, page_1->next})->items.size(), 1u);
  EXPECT_EQ(*ask<value>(aggregate_records{"guests", function::sum, "age", adults}), 120);
  EXPECT_EQ(*ask<value>(aggregate_records{"guests", function::avg, "age", adults}), 40);
  EXPECT_EQ(*ask<value>(aggregate_records{"guests", function::min, "age"}), 21);
  EXPECT_EQ(*ask<value>(aggregate_records{"guests", function::max, "age"}), 50);
  EXPECT_EQ((*ask<record>(erase_record{"guests", "bob"}))["age"], 21);
  EXPECT_EQ(*ask<std::uint64_t>(clear_bucket{"guests"}), 3u);
  EXPECT_EQ(*guests.count().get(), 0u);
}

TEST_P(a_gateway, writes_many_records_as_a_handle_does) {
  auto added = ask<records>(
      upsert_records{"guests", {to_object(guest{"ann", 30}), to_object(guest{"bob", 20})}});
  ASSERT_TRUE(added) << added.error().to_string();
  EXPECT_EQ(added->size(), 2u);
  EXPECT_EQ(*ask<std::uint64_t>(update_records{"guests", "age"_f >= 30, {{"age", 31}}}), 1u);
  EXPECT_EQ(guests.get("ann").get()->age, 31);
  EXPECT_EQ(*ask<std::uint64_t>(erase_records{"guests", "age"_f < 30}), 1u);
  EXPECT_EQ(ask<std::uint64_t>(erase_records{"guests", "none"_f < 30}).error(),
            errc::invalid_argument);
  EXPECT_EQ(*guests.count().get(), 1u);
}

TEST_P(a_gateway, reads_at_a_snapshot) {
  ASSERT_TRUE(guests.insert({"ann", 30}).get());
  auto then = db.snapshot();
  ASSERT_TRUE(guests.update("ann", set<&guest::age>(31)).get());
  EXPECT_EQ((*ask<record>(get_record{"guests", "ann", then}))["age"], 30);
  EXPECT_EQ((*ask<record>(find_record{"guests", {}, then}))["age"], 30);
  EXPECT_EQ((*ask<record>(find_record{"guests"}))["age"], 31);
}

TEST_P(a_gateway, answers_what_goes_wrong_as_a_value) {
  EXPECT_EQ(ask<record>(get_record{"nobody", 1}).error().code(), errc::not_found);
  EXPECT_EQ(ask<records>(find_records{"nobody"}).error().code(), errc::not_found);
  EXPECT_EQ(ask<record>(erase_record{"guests", "ann"}).error().code(), errc::not_found);
  auto bad = ask<record>(insert_record{"guests", {{"id", "ann"}, {"age", -1}}});
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().issues().size(), 1u) << bad.error().to_string();
  EXPECT_EQ(ask<records>(find_records{"guests", query{"size"_f == 1}}).error().code(),
            errc::invalid_argument);
  ASSERT_TRUE(guests.insert({"ann", 1}).get());
  EXPECT_EQ(ask<record>(insert_record{"guests", {{"id", "ann"}, {"age", 1}}}).error().code(),
            errc::duplicate);
}

TEST_P(a_gateway, gets_over_the_crash_of_a_bucket) {
  ASSERT_TRUE(guests.insert({"ann", 30}).get());
  ASSERT_TRUE(db.crash("guests"));
  EXPECT_EQ((*ask<record>(update_record{"guests", "ann", {{"age", 31}}}))["age"], 31);
}

TEST_P(a_gateway, is_replaced_when_it_is_killed) {
  auto old = gateway;
  caf::anon_send_exit(old, caf::exit_reason::kill);
  while (gateway == old) {
    rt.run_one();
    gateway = gateway_of(db).value();
  }
  EXPECT_TRUE(ask<record>(insert_record{"guests", {{"id", "ann"}, {"age", 1}}}));
}

TEST_P(a_gateway, is_gone_when_the_store_has_stopped) {
  ASSERT_TRUE(db.stop());
  EXPECT_EQ(gateway_of(db).error().code(), errc::stopped);
  EXPECT_EQ(ask<record>(get_record{"guests", "ann"}).error().code(), errc::stopped);
}

TEST_P(a_gateway, answers_whoever_stands_behind_the_sender) {
  auto front = rt.system().spawn([to = gateway](caf::event_based_actor* self) -> caf::behavior {
    quiet(self);
    return {[self, to](const get_record& m) { return self->delegate(to, m); },
            [self, to](const count_records& m) { return self->delegate(to, m); }};
  });
  ASSERT_TRUE(guests.insert({"ann", 30}).get());
  std::promise<int> age;
  std::promise<std::uint64_t> count;
  rt.system().spawn([&](caf::event_based_actor* self) {
    quiet(self);
    self->request(front, caf::infinite, get_record{"guests", "ann"})
        .then([&](const result<record>& r) {
          age.set_value(static_cast<int>((*r)["age"].as_int()));
        });
    self->request(front, caf::infinite, count_records{"guests"})
        .then([&](const result<std::uint64_t>& r) { count.set_value(*r); });
  });
  EXPECT_EQ(wait(age.get_future()), 30);
  EXPECT_EQ(wait(count.get_future()), 1u);
  caf::anon_send_exit(front, caf::exit_reason::kill);
}

TEST_P(a_gateway, answers_a_plain_message_with_one) {
  std::promise<std::string> got;
  rt.system().spawn([&](caf::event_based_actor* self) -> caf::behavior {
    quiet(self);
    self->send(gateway, insert_record{"guests", {{"id", "ann"}, {"age", 1}}});
    return {[&got, self](const result<record>& r) {
      got.set_value(std::string{(*r)["id"].as_string()});
      self->quit();
    }};
  });
  EXPECT_EQ(wait(got.get_future()), "ann");
}

TEST_P(a_gateway, begins_the_writes_of_a_sender_in_order) {
  ASSERT_TRUE(guests.insert({"ann", 0}).get());
  static constexpr std::size_t writes = 50;
  std::promise<std::vector<std::int64_t>> got;
  rt.system().spawn([&](caf::event_based_actor* self) {
    quiet(self);
    auto ages = std::make_shared<std::vector<std::int64_t>>();
    for (std::size_t i = 1; i <= writes; ++i)
      self->request(gateway, caf::infinite, update_record{"guests", "ann", {{"age", i}}})
          .then([&got, ages](const result<record>& r) {
            ages->push_back((*r)["age"].as_int());
            if (ages->size() == writes)
              got.set_value(*ages);
          });
  });
  auto ages = wait(got.get_future());
  EXPECT_TRUE(std::ranges::is_sorted(ages));
  EXPECT_EQ(guests.get("ann").get()->age, static_cast<int>(writes));
}

TEST_P(a_gateway, lets_an_actor_use_typed_handles) {
  std::promise<int> got;
  rt.system().spawn([&](caf::event_based_actor* self) {
    quiet(self);
    via(self, guests.insert({"ann", 30}), [&, self](result<guest> added) {
      via(self, guests.update(added->id, set<&guest::age>(31)),
          [&](result<guest> older) { got.set_value(older->age); });
    });
  });
  EXPECT_EQ(wait(got.get_future()), 31);
}

INSTANTIATE_TEST_SUITE_P(, a_gateway, ::testing::Bool(),
                         [](auto& param) { return param.param ? "deterministic" : "threaded"; });

TEST(a_full_gateway, refuses_further_requests_until_it_has_answered) {
  runtime rt{{.deterministic = true}};
  auto db = std::move(*store::start({.gateway_requests = 2, .runtime = &rt}));
  auto guests = std::move(*db.define<guest>());
  std::vector<std::string> answers;
  auto asker = rt.system().spawn([&](caf::event_based_actor* self) -> caf::behavior {
    quiet(self);
    return {[&, self, to = gateway_of(db).value()](go) {
      for (int i = 0; i < 4; ++i)
        self->request(to, caf::infinite,
                      insert_record{"guests", {{"id", std::to_string(i)}, {"age", i}}})
            .then([&](const result<record>& r) {
              answers.emplace_back(r ? "added" : to_string(r.error().code()));
            });
    }};
  });
  for (int round = 0; round < 2; ++round) {
    answers.clear();
    (void)guests.clear().get();
    caf::anon_send(asker, go{});
    while (rt.run_one()) {
    }
    EXPECT_THAT(answers,
                ::testing::UnorderedElementsAre("added", "added", "overloaded", "overloaded"));
  }
  caf::anon_send_exit(asker, caf::exit_reason::kill);
}

TEST(a_stopping_gateway, answers_everybody_once) {
  for (int round = 0; round < 20; ++round) {
    runtime rt;
    auto db = std::move(*store::start({.runtime = &rt}));
    auto guests = std::move(*db.define<guest>());
    constexpr int senders = 4, each = 100;
    std::atomic<int> answered{0}, added{0}, started{0};
    for (int s = 0; s < senders; ++s)
      rt.system().spawn([&, s, to = gateway_of(db).value()](caf::event_based_actor* self) {
        quiet(self);
        for (int i = 0; i < each; ++i)
          self->request(to, caf::infinite,
                        insert_record{"guests", {{"id", std::to_string(s * each + i)}, {"age", i}}})
              .then(
                  [&](const result<record>& r) {
                    added += r.has_value();
                    ++answered;
                  },
                  [&](const caf::error&) { ++answered; });
        ++started;
      });
    while (started < senders && answered < senders * each / 4)
      std::this_thread::yield();
    ASSERT_TRUE(db.stop());
    rt.stop(); // waits for the senders, which end when they have all answers
    EXPECT_EQ(answered, senders * each);
  }
}

} // namespace
} // namespace holdfast
