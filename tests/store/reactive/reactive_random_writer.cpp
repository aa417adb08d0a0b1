#include "tests/store/reactive/reactive_random_writer.hpp"

#include <chrono>
#include <utility>

namespace holdfast::testing {

random_writer::~random_writer() {
  for (auto& each : waiting_)
    (void)each.get();
}

void random_writer::write() {
  auto found = db_.bucket(reactive_buckets[random_() % 3]);
  if (!found)
    return;
  auto& b = *found;
  auto with = fields();
  switch (random_() % 12) {
  case 0:
  case 1:
  case 2:
  case 3:
  case 4:
    with.set("id", key());
    return finish(b.upsert(with, ending()));
  case 5:
  case 6:
    return finish(b.update(key(), with));
  case 7:
    if (once_in(3))
      return static_cast<void>(b.erase_many(an_end_of_an_order(random_)).get());
    return finish(b.erase(key()));
  case 8:
    return finish(b.touch(key(), ending()));
  case 9:
    return insert_many(b);
  case 10:
    return transact();
  default:
    if (once_in(8))
      (void)b.clear().get();
  }
}

object random_writer::fields() {
  auto out = random_fields(random_);
  if (once_in(3))
    out.set("ref", key());
  return out;
}

write_options random_writer::ending() {
  if (ends_ == deadlines::none)
    return {};
  if (once_in(3))
    return {.expires_in = std::chrono::seconds{1 + random_() % 3}};
  return once_in(6) ? write_options{.never_expires = true} : write_options{};
}

void random_writer::finish(pending<record> write) {
  if (once_in(2))
    (void)std::move(write).get();
  else
    waiting_.push_back(std::move(write).as_future());
}

void random_writer::insert_many(bucket<>& b) {
  std::vector<object> list;
  for (int i = 0; i < 3; ++i) {
    list.push_back(fields());
    list.back().set("id", key());
  }
  (void)b.upsert_many(list).get();
}

/// Moves a record, so that a query that sees half of it is wrong.
void random_writer::transact() {
  const auto from = key(), to = key();
  const auto* other = once_in(2) ? "two" : "three"; // also of the other line
  (void)db_.transact([&](transaction& tx) -> result<void> {
    auto a = tx.bucket("one"), b = tx.bucket(other);
    if (!a || !b)
      return fail((a ? b : a).error());
    auto gone = a->erase(from).get();
    if (!gone)
      return fail(gone.error());
    auto moved = gone->to_object();
    moved.set("id", to);
    moved.set("ref", nullptr);
    return b->upsert(moved).get().map([](const auto&) {});
  });
}

} // namespace holdfast::testing
