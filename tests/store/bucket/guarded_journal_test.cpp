#include <holdfast/store/detail/guarded_journal.hpp>

#include <holdfast/store/memory_journal.hpp>
#include <holdfast/store/store.hpp>

#include "tests/support/forwarding_journal.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <new>
#include <stdexcept>

namespace holdfast::detail {
namespace {

/// Calls a function, which may throw, before each of its calls.
class overthrown_journal final : public testing::forwarding_journal {
public:
  overthrown_journal() : forwarding_journal{memory_journal()} {}

  result<void> append(const journal_batch& batch, bool synced) override {
    first();
    return forwarding_journal::append(batch, synced);
  }
  result<void> sync() override {
    first();
    return forwarding_journal::sync();
  }
  result<journal_info> open() override {
    first();
    return forwarding_journal::open();
  }
  result<void> close() override {
    first();
    return forwarding_journal::close();
  }
  result<journal_info> open_again() override {
    first();
    return forwarding_journal::open_again();
  }

  std::function<void()> first = [] {};
};

class a_guarded_journal : public ::testing::Test {
protected:
  void SetUp() override { ASSERT_TRUE(inner.open()); }

  overthrown_journal inner;
  guarded_journal guarded{inner};
  std::vector<journal_put> puts{{.key = "k", .value = "v"}};
  journal_batch batch{.first = 1, .last = 1, .puts = puts};
};

TEST_F(a_guarded_journal, passes_on_what_does_not_throw) {
  EXPECT_TRUE(guarded.append(batch, false));
  EXPECT_TRUE(guarded.sync());
  EXPECT_EQ(inner.durable(), 1u);
  EXPECT_EQ(guarded.append(batch, false).error().code(), errc::invalid_argument)
      << "the journal's own errors stay as they are";
}

TEST_F(a_guarded_journal, makes_an_io_error_of_an_exception) {
  inner.first = [] { throw std::runtime_error{"no such luck"}; };
  EXPECT_EQ(guarded.append(batch, false).error().code(), errc::io);
  EXPECT_EQ(guarded.sync().error().code(), errc::io);
}

TEST_F(a_guarded_journal, makes_one_also_of_what_opening_and_closing_throw) {
  inner.first = [] { throw 7; };
  EXPECT_EQ(guarded.open_again().error().code(), errc::io);
  EXPECT_EQ(guarded.close().error().code(), errc::io);
}

TEST(a_store_over_a_journal_that_throws, does_not_start_and_ends_with_errors) {
  const auto start = [](std::unique_ptr<overthrown_journal> over) {
    store_options options;
    options.journal = std::move(over);
    return store::start(std::move(options));
  };
  auto first = std::make_unique<overthrown_journal>();
  first->first = [] { throw std::runtime_error{"no such luck"}; };
  const auto refused = start(std::move(first));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), errc::io);
  EXPECT_NE(refused.error().message().find("no such luck"), std::string::npos);
  auto second = std::make_unique<overthrown_journal>();
  auto& journal = *second;
  auto db = start(std::move(second)).value();
  journal.first = [] { throw 7; };
  EXPECT_EQ(db.stop().error(), errc::io);
  EXPECT_TRUE(db.stop()) << "it has stopped";
  journal.first = [] {};
}

TEST_F(a_guarded_journal, says_when_memory_ran_out) {
  inner.first = [] { throw std::bad_alloc{}; };
  for (auto& e : {guarded.append(batch, false).error(), guarded.sync().error(),
                  guarded.open_again().error()}) {
    EXPECT_EQ(e.code(), errc::io);
    EXPECT_NE(e.message().find("ran out of memory"), std::string::npos) << e.message();
  }
}

} // namespace
} // namespace holdfast::detail
