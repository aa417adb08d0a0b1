// What a start tells while it reads the journal.
#include <holdfast/persistence/rocksdb.hpp>
#include <holdfast/store/memory_journal.hpp>
#include <holdfast/store/store.hpp>

#include <tests/support/temporary_directory.hpp>

#include <gmock/gmock.h>

namespace holdfast::testing {
namespace {

TEST(a_start, tells_how_far_it_has_read_the_journal) {
  constexpr int most = 30'000;
  temporary_directory place{temporary_directory::in_memory};
  auto open = [&](unsigned threads, std::function<void(const restore_progress&)> tell) {
    store_options options;
    options.journal = rocksdb({.directory = place / "data"});
    options.durability = durability::async;
    options.restore_threads = threads;
    options.on_restore = std::move(tell);
    return store::start(std::move(options)).value();
  };
  {
    auto db = open(1, {});
    for (auto name : {"few", "many"}) {
      auto b = db.define(schema(name).key("id", integer())).value();
      std::vector<object> all;
      for (int i = 0; i < (name == std::string{"few"} ? 10 : most); ++i)
        all.push_back({{"id", i}});
      ASSERT_TRUE(b.insert_many(std::move(all)).get());
    }
  }
  for (unsigned threads : {1u, 4u}) {
    std::vector<restore_progress> told;
    const auto here = std::this_thread::get_id();
    auto db = open(threads, [&](const restore_progress& p) {
      EXPECT_EQ(std::this_thread::get_id(), here);
      told.push_back(p);
    });
    ASSERT_GE(told.size(), 2u);
    for (std::size_t i = 0; i < told.size(); ++i) {
      EXPECT_EQ(told[i].done, i + 1 == told.size()) << "the last alone";
      EXPECT_GE(told[i].records, i == 0 ? 0 : told[i - 1].records);
      if (!told[i].done) {
        EXPECT_THAT(told[i].bucket, ::testing::AnyOf("few", "many"));
      }
    }
    EXPECT_EQ(told.back().records, most + 10u);
    EXPECT_EQ(db.restored().records, most + 10u);
    EXPECT_EQ(*db.bucket("many").value().count().get(), static_cast<std::uint64_t>(most));
  }
}

TEST(a_start, measures_its_restore_by_the_clock_of_the_store) {
  constexpr std::chrono::milliseconds each{5};
  manual_clock clock;
  auto disk = std::make_shared<memory_disk>();
  int told = 0;
  auto open = [&] {
    store_options options;
    options.journal = memory_journal(disk);
    options.runtime_settings.clock = &clock;
    options.on_restore = [&](const restore_progress& p) {
      if (p.done)
        return;
      ++told;
      clock.advance(each);
    };
    return store::start(std::move(options)).value();
  };
  {
    auto db = open();
    ASSERT_TRUE(db.define(schema("b").key("id", integer())).value().insert({{"id", 1}}).get());
    EXPECT_EQ(db.restored().took, std::chrono::microseconds{0});
  }
  auto db = open();
  EXPECT_GE(told, 1);
  EXPECT_EQ(db.restored().took, told * each);
}

} // namespace
} // namespace holdfast::testing
