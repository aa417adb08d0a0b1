#pragma once

#include <holdfast/store/memory_journal.hpp>
#include <holdfast/store/store.hpp>

#include <atomic>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::testing {

/// The names of all fault points in the sources of the store and the runtime.
std::vector<std::string> fault_points_in_sources();

/// What a bucket should hold: records in order of insertion.
class bucket_model {
public:
  struct entry {
    object fields;
    std::uint64_t version = 1;
  };
  void insert(const object& fields);
  void update(const std::string& key, const object& changes);
  void erase(const std::string& key);
  void clear();
  bool contains(const std::string& key) const { return entries_.contains(key); }
  /// The key inserted longest ago.
  std::optional<std::string> oldest() const;

  /// Where a bucket differs from it, its indexes included; empty if nowhere.
  std::vector<std::string> differences(const bucket<>& b) const;

private:
  std::map<std::string, entry> entries_;
  std::vector<std::string> order_;
};

enum class write_kind : std::uint8_t { insert, insert_many, update, upsert, erase, clear };
inline constexpr write_kind all_write_kinds[] = {write_kind::insert, write_kind::insert_many,
                                                 write_kind::update, write_kind::upsert,
                                                 write_kind::erase,  write_kind::clear};
std::string_view to_string(write_kind k) noexcept;

/// Where a bench runs: in memory or over a journal, its buckets run by callers or by messages.
struct bench_mode {
  bool journal;
  durability level;
  bool caller_runs;
};
std::string to_string(const bench_mode& m);

/// One write whose answers are counted.
class counted_write {
public:
  /// Starts it; `told` is called on the thread that completes it.
  template <class T>
  explicit counted_write(pending<T> p, void (*told)() = nullptr) {
    std::move(p).on_completion([s = state_, told](result<T> r) {
      if (told)
        told();
      if (s->answers.fetch_add(1) == 0)
        s->outcome.set_value(r ? std::nullopt : std::optional{r.error()});
    });
  }
  /// Waits for the answer: nothing, or the error. As often as one likes.
  std::optional<error> wait();
  bool answered() const noexcept { return state_->answers.load() > 0; }
  int answers() const noexcept { return state_->answers.load(); }

private:
  struct state {
    std::atomic<int> answers{0};
    std::promise<std::optional<error>> outcome;
    std::shared_future<std::optional<error>> answer{outcome.get_future()};
  };
  std::shared_ptr<state> state_ = std::make_shared<state>();
};

/// A store with a bucket to be crashed and a neighbour that must not notice.
class fault_bench {
public:
  explicit fault_bench(bench_mode mode);

  store& db() { return *db_; }
  bucket<>& docs() { return *docs_; }
  memory_disk& disk() { return *disk_; }
  const bucket_model& model() const noexcept { return model_; }
  bool durable() const noexcept { return mode_.journal; }

  /// Starts a write of one kind, and gives what the bucket is to hold once it has succeeded.
  std::pair<counted_write, bucket_model> start(write_kind k, void (*told)() = nullptr);
  /// The write has succeeded.
  void accept(bucket_model after) { model_ = std::move(after); }

  /// Writes to both buckets without any fault; and says what is wrong anywhere.
  std::vector<std::string> go_on();
  /// The same once the bucket is to hold something.
  std::vector<std::string> go_on_with(bucket_model held) {
    accept(std::move(held));
    return go_on();
  }
  /// Ends the store, by `crash` without a farewell of the disk, and opens it again.
  std::vector<std::string> reopen(bool crash);

private:
  void open();
  object fresh(const std::string& key);

  bench_mode mode_;
  std::shared_ptr<memory_disk> disk_ = std::make_shared<memory_disk>();
  std::optional<store> db_;
  std::optional<bucket<>> docs_, others_;
  bucket_model model_, neighbour_;
  std::int64_t counter_ = 0;
};

} // namespace holdfast::testing
