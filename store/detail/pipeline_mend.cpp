// How the pipeline stops at an error of the journal, and takes up writing again (R5).
#include <holdfast/store/detail/pipeline.hpp>

#include <algorithm>

namespace holdfast::detail {

namespace {

/// Writes commits again, in batches as the writer makes them.
class rewriter {
public:
  using append = std::function<result<void>(const journal_batch&, bool synced)>;
  rewriter(append to, const pipeline_options& options)
      : append_{std::move(to)}, options_{options} {}

  result<void> add(sequence seq, std::span<const journal_put> puts) {
    if (count_ >= options_.batch_commits || bytes_ >= options_.batch_bytes)
      if (auto done = flush(false); !done)
        return done;
    if (count_++ == 0)
      first_ = seq;
    for (auto& put : puts) {
      bytes_ += put.key.size() + put.value.size();
      puts_.push_back(put);
    }
    ++total_;
    return {};
  }
  result<void> flush(bool synced) {
    if (count_ == 0)
      return {};
    auto done = append_({first_, first_ + count_ - 1, puts_}, synced);
    puts_.clear();
    count_ = bytes_ = 0;
    return done;
  }
  std::uint64_t total() const noexcept { return total_; }

private:
  append append_;
  const pipeline_options& options_;
  std::vector<journal_put> puts_;
  sequence first_ = 0;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
  std::uint64_t total_ = 0;
};

std::string in_digits(sequence n) { return std::to_string(n); }

} // namespace

/// `what` because of `why`, if there is memory for it.
error pipeline::caused(const error& what, const error& why) const noexcept {
  try {
    return what.because(why);
  } catch (const std::bad_alloc&) {
    return what;
  }
}

void pipeline::fail(error why) noexcept {
  const auto unknown = caused(unknown_, why), refused = caused(stopped_writing_, why);
  {
    std::lock_guard lock{mutex_};
    refusal_ = refused;
    failure_ = std::move(why);
    failure_settled_ = false;
    failed_.store(true, std::memory_order_release);
  }
  phase_ = phase::none;
  handed_ = written_;
  // Those handed over are kept, for they may be on disk; of the others those that are published.
  while (auto* c = hand_.pop()) {
    handed_ = c->seq;
    settle(*c, &unknown);
    kept_.push(c);
  }
  commit_queue behind, never_told;
  {
    // Nothing is sealed after this: `seal` looks at the flag under the same lock.
    std::lock_guard lock{line_};
    behind.take(queue_, ~std::size_t{0}, ~std::size_t{0});
    for (auto left = behind_.size(); left > 0; --left) {
      auto* c = behind_.pop();
      (c->seq <= line_.published() ? behind_ : never_told).push(c);
    }
    backlog_bytes_.store(0, std::memory_order_relaxed);
    backlog_commits_.store(0, std::memory_order_relaxed);
  }
  tell_behind();
  while (auto* c = never_told.pop()) {
    c->settled(&refused);
    c->let_go();
  }
  while (auto* c = behind.pop()) {
    if (c->published_) {
      kept_.push(c);
      continue;
    }
    settle(*c, &refused);
    c->let_go();
  }
  std::lock_guard lock{mutex_};
  failure_settled_ = true;
  room_.notify_all();
}

result<mended_journal> pipeline::mend() {
  {
    std::unique_lock lock{mutex_};
    if (!failed_.load())
      return holdfast::fail(errc::invalid_argument, "store: writing has not stopped");
    room_.wait(lock, [this] { return failure_settled_; });
  }
  (void)journal_.close(); // it says once more what has failed
  auto info = journal_.open_again();
  if (!info)
    return holdfast::fail(std::move(info.error()));
  const auto published = line_.published();
  if (auto fits = check_found(info->last, published); !fits)
    return holdfast::fail(std::move(fits.error()));
  auto rewritten = write_again(info->last, published);
  if (!rewritten)
    return holdfast::fail(std::move(rewritten.error()));
  return mended_journal{info->epoch, info->last, published, std::max(info->last, published),
                        *rewritten};
}

/// The first commit that can be written again.
sequence pipeline::first_kept() const noexcept {
  if (!unsynced_.empty())
    return unsynced_.first();
  return kept_.empty() ? handed_ + 1 : kept_.front()->seq;
}

result<void> pipeline::check_found(sequence found, sequence published) const {
  auto place = "store: the last commit in " + journal_.name() + " is " + in_digits(found);
  if (found < published && found + 1 < first_kept())
    return holdfast::fail(errc::data_loss,
                          place + ", the last one published is " + in_digits(published) +
                              ", and what is between them is kept only from " +
                              in_digits(first_kept()) + " on",
                          {}, loss{published, found});
  if (found > published && found != handed_)
    return holdfast::fail(errc::corrupt,
                          place + ", the last one published is " + in_digits(published) +
                              ", and the last one handed over is " + in_digits(handed_));
  return {};
}

/// Writes the commits after one up to another; how many. Each is in a copy or in a kept object.
result<std::uint64_t> pipeline::write_again(sequence after, sequence last) {
  rewriter again{[this](const journal_batch& b, bool synced) { return journal_.append(b, synced); },
                 options_};
  result<void> done;
  auto add = [&](sequence seq, std::span<const journal_put> puts) {
    if (done && seq > after && seq <= last)
      done = again.add(seq, puts);
  };
  if (after < last)
    handed_ = std::max(after, last); // what was handed over has not arrived, so it never will
  unsynced_.for_each(add);
  std::vector<journal_put> puts;
  kept_.for_each([&](const sealed_commit& c) {
    puts.clear();
    c.append_to(puts);
    add(c.seq, puts);
  });
  if (done)
    done = again.flush(true);
  if (!done)
    return holdfast::fail(std::move(done.error()));
  return again.total();
}

/// The parts in memory of those that stand; the line that they are in.
commit_line* pipeline::make_again(sequence target) {
  commit_line* in = nullptr;
  auto each = [&](auto&& f) {
    kept_.for_each([&](sealed_commit& c) {
      if (c.also_in && c.seq <= target)
        f(c);
    });
  };
  try {
    each([&](sealed_commit& c) {
      c.make_again();
      in = c.also_in;
    });
  } catch (...) {
    each([](sealed_commit& c) { c.unmake(); });
    throw;
  }
  return in;
}

void pipeline::go_on(sequence target) {
  auto* memory = make_again(target);
  {
    std::lock_guard lock{mutex_};
    const both_lines guard{memory, line_};
    kept_.for_each([&](sealed_commit& c) {
      if (c.seq <= target)
        show(c);
    });
    line_.rewind(target);
    written_ = target;
    durable_.store(target);
    sync_target_.store(0);
    unsynced_.clear();
    ++times_mended_;
    failure_.reset();
    failed_.store(false, std::memory_order_release);
  }
  line_.notify_followers();
  while (auto* c = kept_.pop()) {
    c->known();
    c->let_go();
  }
  wake_.notify_one();
  std::lock_guard lock{mutex_};
  room_.notify_all();
}

} // namespace holdfast::detail
