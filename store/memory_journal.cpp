#include <holdfast/store/memory_journal.hpp>

#include <holdfast/store/detail/journal_chain.hpp>

#include <atomic>

namespace holdfast {

/// One opening of a disk at a time; see `memory_journal()`.
class memory_journal_adapter final : public journal {
public:
  explicit memory_journal_adapter(std::shared_ptr<memory_disk> disk) : disk_(std::move(disk)) {}
  ~memory_journal_adapter() override { (void)release(false); }

  result<journal_info> open() override;
  result<journal_info> open_read_only() override;
  result<void> append(const journal_batch& batch, bool synced) override;
  result<void> sync() override;
  result<void> scan(std::string_view first, std::string_view last,
                    const visitor& visit) const override;
  std::vector<std::string> split(std::string_view first, std::string_view last,
                                 unsigned parts) const override;
  sequence durable() const noexcept override { return durable_.load(std::memory_order_acquire); }
  result<void> close() override { return release(true); }
  std::string name() const override { return "memory"; }

private:
  result<void> take();
  bool owns() const { return mine_ != 0 && disk_->owner_ == mine_; }
  // Fails the journal for good.
  tl::unexpected<error> broken(std::string text) {
    failed_ = error{errc::io, "memory: " + std::move(text)};
    return fail(*failed_);
  }
  result<void> writable() const;
  result<void> sync_locked();
  result<void> release(bool clean);

  std::shared_ptr<memory_disk> disk_;
  std::uint64_t mine_ = 0;
  std::optional<error> failed_;
  bool read_only_ = false;
  std::atomic<sequence> durable_{0};
};

/// With the disk's lock.
result<void> memory_journal_adapter::take() {
  if (disk_->owner_ != 0)
    return fail(errc::locked, "memory: another journal has opened this disk");
  if (disk_->open_fails_)
    return fail(errc::io, "memory: open failed, as asked for");
  failed_.reset();
  mine_ = disk_->owner_ = ++disk_->opens_;
  durable_.store(disk_->last_, std::memory_order_release);
  return {};
}

result<journal_info> memory_journal_adapter::open() {
  std::lock_guard lock(disk_->mutex_);
  if (auto mine = take(); !mine)
    return fail(std::move(mine.error()));
  read_only_ = false;
  disk_->unsynced_.clear(); // whatever a crash left is what there is
  auto clean = std::exchange(disk_->clean_, false);
  return journal_info{disk_->last_, ++disk_->epoch_, disk_->chain_, clean, disk_->last_};
}

result<journal_info> memory_journal_adapter::open_read_only() {
  std::lock_guard lock(disk_->mutex_);
  if (auto mine = take(); !mine)
    return fail(std::move(mine.error()));
  read_only_ = true;
  return journal_info{disk_->last_, disk_->epoch_, disk_->chain_, disk_->clean_, disk_->last_};
}

result<void> memory_journal_adapter::writable() const {
  if (!owns())
    return fail(errc::stopped, "memory: the journal is not open");
  if (read_only_)
    return fail(errc::read_only, "memory: the journal was opened read-only");
  if (failed_)
    return fail(error{errc::read_only, "memory: stopped writing after an error"}.because(*failed_));
  return {};
}

result<void> memory_journal_adapter::append(const journal_batch& batch, bool synced) {
  std::unique_lock lock(disk_->mutex_);
  if (auto r = writable(); !r)
    return r;
  if (auto r = detail::check_batch(batch, disk_->last_, "memory"); !r)
    return r;
  auto number = ++disk_->appends_;
  if (disk_->held_) {
    ++disk_->waiting_;
    disk_->changed_.notify_all();
    disk_->changed_.wait(
        lock, [&, before = disk_->releases_] { return disk_->releases_ != before || !owns(); });
    --disk_->waiting_;
    if (!owns())
      return broken("the disk is gone");
  }
  auto fails = number == disk_->fail_at_;
  if (fails && disk_->fate_ == memory_disk::fate::lost)
    return broken("append " + std::to_string(number) + " failed, as asked for");
  disk_->apply(batch, detail::extend_chain(disk_->chain_, batch));
  if (fails)
    return broken("append " + std::to_string(number) + " failed after writing, as asked for");
  return synced ? sync_locked() : result<void>{};
}

result<void> memory_journal_adapter::sync_locked() {
  if (std::exchange(disk_->sync_fails_, false))
    return broken("sync failed, as asked for");
  disk_->unsynced_.clear();
  durable_.store(disk_->last_, std::memory_order_release);
  return {};
}

result<void> memory_journal_adapter::sync() {
  std::lock_guard lock(disk_->mutex_);
  if (auto r = writable(); !r)
    return r;
  return sync_locked();
}

result<void> memory_journal_adapter::scan(std::string_view first, std::string_view last,
                                          const visitor& visit) const {
  {
    std::lock_guard lock(disk_->mutex_);
    if (!owns())
      return fail(errc::stopped, "memory: the journal is not open");
  }
  // No append runs meanwhile (law 5), so the map may be read without the lock, by several threads.
  auto at = disk_->entries_.lower_bound(first);
  for (; at != disk_->entries_.end() && (last.empty() || at->first < last); ++at)
    if (auto r = visit(at->first, at->second); !r)
      return r;
  return {};
}

std::vector<std::string>
memory_journal_adapter::split(std::string_view first, std::string_view last, unsigned parts) const {
  std::lock_guard lock(disk_->mutex_);
  std::vector<std::string> cuts;
  auto& all = disk_->entries_;
  auto from = all.lower_bound(first);
  auto to = last.empty() ? all.end() : all.lower_bound(last);
  if (!owns() || parts < 2 || (!last.empty() && last <= first))
    return cuts;
  auto count = static_cast<std::size_t>(std::distance(from, to));
  std::size_t passed = 0;
  for (std::size_t part = 1; part < parts; ++part) {
    auto target = count * part / parts;
    if (target == passed || target == 0)
      continue;
    std::advance(from, static_cast<std::ptrdiff_t>(target - passed));
    passed = target;
    if (from->first > first)
      cuts.push_back(from->first);
  }
  return cuts;
}

result<void> memory_journal_adapter::release(bool clean) {
  std::lock_guard lock(disk_->mutex_);
  if (!owns()) {
    mine_ = 0;
    return {};
  }
  if (clean && !failed_ && !read_only_)
    if (sync_locked())
      disk_->clean_ = true;
  disk_->owner_ = mine_ = 0;
  return clean && failed_ ? result<void>{fail(*failed_)} : result<void>{};
}

std::unique_ptr<journal> memory_journal(std::shared_ptr<memory_disk> disk) {
  if (!disk)
    disk = std::make_shared<memory_disk>();
  return std::make_unique<memory_journal_adapter>(std::move(disk));
}

void memory_disk::apply(const journal_batch& batch, std::uint64_t chain) {
  undo back{{}, last_, chain_};
  auto remember = [&](std::string_view key, entries::iterator at) {
    back.former.emplace_back(key, at == entries_.end() ? std::nullopt : std::optional{at->second});
  };
  for (auto& put : batch.puts) {
    auto at = entries_.find(put.key);
    switch (put.what) {
    case journal_put::kind::put:
      remember(put.key, at);
      entries_.insert_or_assign(std::string{put.key}, std::string{put.value});
      break;
    case journal_put::kind::erase:
      remember(put.key, at);
      if (at != entries_.end())
        entries_.erase(at);
      break;
    case journal_put::kind::erase_range:
      for (at = entries_.lower_bound(put.key);
           at != entries_.end() && (put.value.empty() || at->first < put.value);) {
        remember(at->first, at);
        at = entries_.erase(at);
      }
      break;
    }
  }
  last_ = batch.last;
  chain_ = chain;
  unsynced_.push_back(std::move(back));
}

void memory_disk::crash(std::size_t kept) {
  std::lock_guard lock(mutex_);
  for (; unsynced_.size() > kept; unsynced_.pop_back()) {
    auto& back = unsynced_.back();
    for (auto at = back.former.rbegin(); at != back.former.rend(); ++at) {
      if (at->second)
        entries_.insert_or_assign(at->first, *at->second);
      else
        entries_.erase(at->first);
    }
    last_ = back.last;
    chain_ = back.chain;
  }
  owner_ = 0;
  changed_.notify_all();
}

void memory_disk::fail_append(std::uint64_t n, fate of_batch) {
  std::lock_guard lock(mutex_);
  fail_at_ = n == 0 ? 0 : appends_ + n;
  fate_ = of_batch;
}

void memory_disk::fail_sync() {
  std::lock_guard lock(mutex_);
  sync_fails_ = true;
}

void memory_disk::fail_open(bool broken) {
  std::lock_guard lock(mutex_);
  open_fails_ = broken;
}

void memory_disk::hold() {
  std::lock_guard lock(mutex_);
  held_ = true;
}

void memory_disk::release() {
  std::lock_guard lock(mutex_);
  held_ = false;
  ++releases_;
  changed_.notify_all();
}

void memory_disk::wait_until_held() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return waiting_ > 0; });
}

std::uint64_t memory_disk::appends() const {
  std::lock_guard lock(mutex_);
  return appends_;
}

std::size_t memory_disk::unsynced() const {
  std::lock_guard lock(mutex_);
  return unsynced_.size();
}

sequence memory_disk::last() const {
  std::lock_guard lock(mutex_);
  return last_;
}

} // namespace holdfast
