#include "people_store.hpp"
#include "rows.hpp"

#include <holdfast/persistence/rocksdb.hpp>

#include <csignal>
#include <filesystem>

#include <sys/wait.h>
#include <unistd.h>

namespace holdfast::bench {

namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t batch = 1'000;

/// Fills `directory` in a process of its own, because only a process can die by SIGKILL, and
/// because the store that is timed then starts with a fresh heap.
void fill_elsewhere(const settings& asked, const std::string& directory, std::uint32_t count,
                    bool killed, const std::string& load = {}) {
  fs::remove_all(directory);
  auto records = std::to_string(count);
  std::vector<const char*> args{asked.program.c_str(), "--fill", directory.c_str(), "--count",
                                records.c_str(),       "--load", load.c_str()};
  if (killed)
    args.push_back("--killed");
  args.push_back(nullptr);
  auto child = fork();
  if (child == 0) {
    execv(args[0], const_cast<char* const*>(args.data()));
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  auto fine = killed ? WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL
                     : WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (!fine)
    throw std::runtime_error{"the process that fills " + directory + " failed"};
}

/// Seconds from nothing to the first answer of a store with at least `count` records.
double restore_seconds(const std::string& directory, std::uint32_t count) {
  auto begin = now();
  people_store s{{.journal = rocksdb({.directory = directory})}};
  auto found = must(s.people.count().get());
  auto took = static_cast<double>(now() - begin) / 1e9;
  if (found < count)
    throw std::runtime_error{"restored " + std::to_string(found) + " of " + std::to_string(count)};
  return took;
}

/// Opens a fresh copy each time: an open is a write, too, and tidies up after a crash.
double median_restore(const settings& asked, const std::string& from, std::uint32_t count,
                      int repetitions, figure& row) {
  auto copy = asked.directory + "/restored";
  row = measure(std::move(row), repetitions, [&] {
    fs::remove_all(copy);
    fs::copy(from, copy, fs::copy_options::recursive);
    return restore_seconds(copy, count);
  });
  return row.value;
}

/// The clean close first; its figure is what the kill is held against: at most two seconds longer.
figure restore(const settings& asked, const std::string& name, std::uint32_t count, bool killed,
               double limit, const std::string& load) {
  auto directory = asked.directory + "/filled";
  auto repetitions = count > 100'000 ? 5 : asked.repetitions();
  figure clean{.name = name, .unit = "s", .limit = limit};
  fill_elsewhere(asked, directory, count, false);
  auto seconds = median_restore(asked, directory, count, repetitions, clean);
  if (!killed)
    return clean;
  figure after{.name = name, .unit = "s", .limit = seconds + 2};
  fill_elsewhere(asked, directory, count, true, load);
  median_restore(asked, directory, count, repetitions, after);
  return after;
}

} // namespace

std::vector<row> restore_rows() {
  auto make = [](std::string name, std::uint32_t count, bool killed, double limit,
                 std::string load = {}) {
    return row{
        name,
        [=](const settings& asked) { return restore(asked, name, count, killed, limit, load); },
        count > 100'000 || !load.empty()};
  };
  return {make("restore_100k_clean", 100'000, false, 0.3),
          make("restore_100k_killed", 100'000, true, 0),
          make("restore_killed_updates", 100'000, true, 0, "updates"),
          make("restore_killed_commits", 100'000, true, 0, "commits"),
          make("restore_1m_clean", 1'000'000, false, 3),
          make("restore_1m_killed", 1'000'000, true, 0)};
}

namespace {

/// 500,000 updates of single records, or commits of all records: a new balance of each, then all
/// erased and inserted anew, three times.
void write_load(const people_store& s, std::uint32_t count, std::string_view load) {
  const auto all = people(count);
  if (load == "updates")
    for (auto i : random_order(500'000, count))
      static_cast<void>(must(s.people.update(all[i].id, {{"balance", double(i)}}).get()));
  if (load != "commits")
    return;
  std::vector<object> list;
  for (auto& p : all)
    list.push_back({{"id", p.id},
                    {"name", p.name},
                    {"email", p.email},
                    {"role", p.role},
                    {"age", p.age},
                    {"balance", p.balance}});
  for (int round = 0; round < 3; ++round) {
    static_cast<void>(must(s.people.update_many({}, {{"balance", double(round)}}).get()));
    static_cast<void>(must(s.people.clear().get()));
    static_cast<void>(must(s.people.insert_many(list).get()));
  }
}

} // namespace

int fill_directory(const std::string& directory, std::uint32_t count, bool killed,
                   std::string_view load) {
  people_store s{{.journal = rocksdb({.directory = directory}), .durability = durability::async}};
  for (std::uint32_t from = 0; from < count; from += batch)
    for (auto& p : people(std::min(batch, count - from), from))
      s.insert(p);
  write_load(s, count, load);
  must(s.db.sync());
  if (killed) {
    // Everything above is on disk; what is in flight when the end comes may or may not be.
    for (auto& p : people(5'000, count))
      s.insert(p);
    raise(SIGKILL);
  }
  must(s.db.stop());
  return 0;
}

} // namespace holdfast::bench
