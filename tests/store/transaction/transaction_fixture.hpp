#pragma once

#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <string>
#include <utility>

namespace holdfast::testing {

using ::testing::HasSubstr;

struct a_transaction : ::testing::Test {
  store db = std::move(*store::start());
  bucket<> accounts = std::move(*db.define(schema("accounts")
                                               .key("id", integer())
                                               .field("owner", string().unique())
                                               .field("balance", integer().required())
                                               .index("balance")));
  bucket<> orders = std::move(*db.define(schema("orders")
                                             .key("no", integer().generated(autoincrement))
                                             .field("account", integer())
                                             .field("what", string())));

  void SetUp() override {
    for (int i = 1; i <= 3; ++i)
      ASSERT_TRUE(
          accounts.insert({{"id", i}, {"owner", std::string(1, char('a' + i))}, {"balance", 100}})
              .get());
  }
  std::int64_t balance(std::int64_t id) { return (*accounts.get(id).get())["balance"].as_int(); }
  template <class F>
  result<void> run(F&& f, transact_options options = {}) {
    return db.transact(
        [&](transaction& tx) -> result<void> {
          f(tx);
          return {};
        },
        options);
  }
};

inline result<void> move_money(const bucket<>& accounts, std::int64_t from, std::int64_t to,
                               std::int64_t amount) {
  auto a = accounts.get(from).get(), b = accounts.get(to).get();
  if (!a || !b)
    return fail((a ? b : a).error());
  auto paid = accounts.update(from, {{"balance", (*a)["balance"].as_int() - amount}}).get();
  auto got = accounts.update(to, {{"balance", (*b)["balance"].as_int() + amount}}).get();
  if (!paid || !got)
    return fail((paid ? got : paid).error());
  return {};
}

} // namespace holdfast::testing
