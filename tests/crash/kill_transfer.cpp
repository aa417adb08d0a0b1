#include "kill_transfer.hpp"

#include <holdfast/store/schema.hpp>

namespace holdfast::testing {

namespace {

/// So many transfers are kept in a lane's list.
constexpr std::size_t listed = 8;

bool is_giro(unsigned account) { return account < accounts / 2; }

void append_transfer(holdfast::array& list, const transfer& what, std::int64_t n) {
  if (list.size() == listed)
    list.erase(list.begin());
  list.emplace_back(object{{"n", n},
                           {"amount", what.amount},
                           {"from", account_key(what.from)},
                           {"to", account_key(what.to)}});
}

} // namespace

std::string account_key(unsigned account) {
  return is_giro(account) ? "giro-" + std::to_string(account)
                          : "savings-" + std::to_string(account - accounts / 2);
}
std::string ledger_key(unsigned lane) { return "ledger-" + std::to_string(lane); }

schema accounts_schema(std::string_view name) {
  return schema(std::string{name})
      .key("id", string())
      .field("amount", integer().required())
      .field("by", integer()) // the lane and the step of the last transfer
      .field("n", integer())
      .index("amount");
}

schema ledger_schema() {
  return schema("ledger")
      .key("id", string())
      .field("owner", integer().required())
      .field("n", integer().required())
      .field("list", array_of());
}

schema witness_schema() {
  return schema("witness").key("id", string()).field("n", integer()).persistent(false);
}

void transfer_model::apply(const transfer& t, std::int64_t n) {
  append_transfer(list_, t, n);
  given_[t.from] -= t.amount;
  given_[t.to] += t.amount;
  ++changes_[t.from];
  ++changes_[t.to];
  last_ = n;
  ++version_;
}

result<void> open_accounts(transaction& tx, const transfer_buckets& in) {
  for (unsigned i = 0; i < accounts; ++i) {
    auto made = tx.in(is_giro(i) ? in.giro : in.savings)
                    .insert({{"id", account_key(i)}, {"amount", first_amount}})
                    .get();
    if (!made)
      return fail(made.error());
  }
  return {};
}

result<void> make_transfer(transaction& tx, const transfer_buckets& in, const transfer& what,
                           unsigned lane, std::int64_t n) {
  auto add = [&](unsigned account, std::int64_t amount) -> result<void> {
    auto there = tx.in(is_giro(account) ? in.giro : in.savings);
    auto now = there.get(account_key(account)).get();
    if (!now)
      return fail(now.error());
    return there
        .update(account_key(account),
                {{"amount", (*now)["amount"].as_int() + amount}, {"by", lane}, {"n", n}})
        .get()
        .map([](const record&) {});
  };
  if (auto taken = add(what.from, -what.amount); !taken)
    return taken;
  if (auto given = add(what.to, what.amount); !given)
    return given;
  auto ledger = tx.in(in.ledger);
  auto key = ledger_key(lane);
  holdfast::array list;
  if (auto old = ledger.get(key).get())
    list = (*old)["list"].materialize().as_array();
  append_transfer(list, what, n);
  auto noted =
      ledger
          .upsert(object{{"id", key}, {"owner", lane}, {"n", n}, {"list", value{std::move(list)}}})
          .get();
  if (noted && lane % 3 == 0)
    noted = tx.in(in.witness).upsert({{"id", key}, {"n", n}}).get();
  return noted.map([](const record&) {});
}

} // namespace holdfast::testing
