// The steps of a history, done on the store.
#include "history_steps.hpp"

#include "history_workloads.hpp"

#include <array>

namespace holdfast::testing {
namespace {

using what = step::what;

write_options lasting(const step& s) {
  return s.ends == 0 ? write_options{.never_expires = true}
                     : write_options{.expires_at = timestamp{std::chrono::microseconds{s.ends}}};
}

result<record> append_to(const bucket<>& b, const step& s) {
  auto old = b.get(s.key).get();
  if (!old)
    return old;
  auto list = (*old)["list"].is_null() ? std::string{} : std::string{(*old)["list"].as_string()};
  return b.update(s.key, {{"list", list + s.text}}).get();
}

result<record> write(const bucket<>& b, const step& s) {
  switch (s.kind) {
  case what::insert: {
    object fields{{"id", s.key}, {"n", s.number}};
    if (s.parent)
      fields.set("parent", *s.parent);
    return b.insert(fields, lasting(s)).get();
  }
  case what::touch:
    return b.touch(s.key, lasting(s)).get();
  case what::set_number:
    return b.update(s.key, {{"n", s.number}}).get();
  case what::set_tag:
    return s.text.empty() ? b.update(s.key, {{"tag", nullptr}}).get()
                          : b.update(s.key, {{"tag", s.text}}).get();
  case what::append:
    return append_to(b, s);
  case what::erase:
    return b.erase(s.key).get();
  case what::get:
  case what::count:
  case what::lowest:
  case what::highest:
    break;
  }
  return fail(errc::invalid_argument, "no write");
}

std::string read(const bucket<>& b, const step& s) {
  if (s.kind == what::get) {
    auto r = b.get(s.key).get();
    return r ? text_of(*r) : "-";
  }
  if (s.kind == what::count) {
    auto range = filter::between("n", value{s.key}, value{s.number});
    return std::to_string(b.count(range).get().value_or(0));
  }
  if (s.kind == what::lowest)
    return text_of(*b.everything().order_by("n").first(s.key).get());
  return text_of(*b.where("n"_f <= s.number).order_by("n").last(s.key).get());
}

} // namespace

actor_of_steps::actor_of_steps(bench& on, transaction& tx, planted_bug bug,
                               const std::function<void()>& between)
    : left_{tx.in(on.left)}, right_{tx.in(on.right)}, bug_{bug}, between_{between},
      began_{on.now()}, then_{on.db.snapshot()}, past_left_{on.left.at(then_)},
      past_right_{on.right.at(then_)} {}

std::string actor_of_steps::operator()(step s) {
  between_();
  auto& b = s.right ? right_ : left_;
  auto& past = s.right ? past_right_ : past_left_;
  if (auto lasts = 1 + (s.key + s.number) % 8; began_ != 0 && s.right && lasts < 6)
    s.ends = began_ + 1000 * lasts; // of what is inserted or touched
  s.gave = run(s, b, past);
  steps.push_back(s);
  return s.gave;
}

std::string actor_of_steps::run(const step& s, const bucket<>& b, const bucket<>& past) const {
  switch (s.kind) {
  case what::get:
    return read(bug_ == planted_bug::unread_keys ? past : b, s);
  case what::count:
    return read(bug_ == planted_bug::unread_counts ? past : b, s);
  case what::lowest:
  case what::highest:
    return read(bug_ == planted_bug::unread_orders ? past : b, s);
  case what::insert:
  case what::set_number:
  case what::set_tag:
  case what::append:
  case what::touch:
  case what::erase:
    break;
  }
  auto wrote = write(b, s);
  return wrote ? "ok" : std::string{to_string(wrote.error().code())};
}

bool plain_write(bench& on, unsigned thread, std::uint64_t seed, done_transaction& done,
                 std::vector<std::string>& failures) {
  constexpr std::array kinds{what::set_number, what::set_number, what::set_tag, what::insert,
                             what::erase};
  step s{kinds[seed / key_count % kinds.size()],
         thread % 2 == 0,
         static_cast<std::int64_t>(seed % key_count),
         static_cast<std::int64_t>(seed % 97),
         {}};
  if (s.kind == what::set_tag)
    s.text = tags[seed / 7 % tags.size()];
  constexpr std::array levels{durability::group, durability::sync, durability::async};
  auto b = s.right ? on.right : on.left;
  if (on.persistent)
    b = b.with(levels[seed / 11 % levels.size()]);
  auto wrote = write(b, s);
  if (!wrote && wrote.error() != errc::duplicate && wrote.error() != errc::not_found) {
    if (wrote.error() != errc::bucket_crashed)
      failures.push_back(wrote.error().to_string());
    return false;
  }
  s.gave = wrote ? "ok" : std::string{to_string(wrote.error().code())};
  if (wrote) {
    auto& block = *wrote->block();
    done.commit =
        on.place(s.right, s.kind == what::erase ? block.death.load() : block.birth.load());
    done.at = on.now();
  } else if (s.kind == what::set_tag && wrote.error() == errc::duplicate) {
    done.refused = true;
    s.gave = "ok"; // but for the other record
  }
  done.steps.push_back(s);
  return true;
}

void plain_look(bench& on, std::uint64_t seed, const std::function<void()>& between,
                done_transaction& done) {
  const auto then = on.db.snapshot();
  done.at = on.now();
  done.first = done.seen = bench::moment_of(then);
  const bucket<> left = on.left.at(then), right = on.right.at(then);
  auto look = [&](step s) {
    between();
    s.gave = read(s.right ? right : left, s);
    done.steps.push_back(std::move(s));
  };
  if (seed % 2 == 0)
    for (auto account : account_keys)
      for (bool of_right : {false, true})
        look({what::get, of_right, account, 0, {}});
  for (bool of_right : {false, true}) {
    look({what::lowest, of_right, 3, 0, {}});
    look({what::highest, of_right, 2, 100, {}});
    look({what::count, of_right, 0, 100, {}});
    look({what::get, of_right, static_cast<std::int64_t>(seed % key_count), 0, {}});
  }
}

} // namespace holdfast::testing
