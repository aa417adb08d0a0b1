#pragma once

#include <holdfast/runtime/fault.hpp>
#include <holdfast/runtime/operation.hpp>
#include <holdfast/store/detail/commit_scope.hpp>
#include <holdfast/store/detail/sealed_commit.hpp>

#include <memory>
#include <new>
#include <optional>

namespace holdfast::detail {

/// A write to one bucket: the job, the commit and the completion in one object.
///
/// Life: `start` hands it to the bucket's address; `run` applies it inside the bucket's exclusivity
/// and seals it; it completes when its commit is published (R2). From the seal on, the outcome is
/// the pipeline's: a crash of the bucket after it changes nothing (R3).
template <class T>
class write_operation : public operation<T>, public sealed_commit {
public:
  write_operation(ref<bucket_core> to, durability how)
      : operation<T>{to->owner()}, core_{std::move(to)} {
    level = how;
  }

  void start() final {
    if (auto refused = core_->admit())
      return this->complete(fail(std::move(*refused)));
    core_->submit(ref<job>{this});
  }

  void run() final {
    fault_point("bucket.started");
    if (auto refused = core_->refusal())
      return this->complete(fail(std::move(*refused)));
    commit_scope scope{*core_, *this};
    sealing sealed_as;
    try {
      outcome_.emplace(apply(scope));
      if (*outcome_ && scope.changed())
        if (auto ready = scope.prepare(); !ready)
          outcome_.emplace(fail(std::move(ready.error())));
      if (!*outcome_ || !scope.changed()) {
        const auto seen = scope.looks_at();
        scope.rollback();
        return answer_behind(seen);
      }
      fault_point("bucket.applied");
      sealed_as = scope.seal();
    } catch (const std::bad_alloc&) {
      scope.rollback();
      return this->complete(fail(core_->out_of_memory()));
    }
    switch (sealed_as) {
    case sealing::published:
      sealed_ = sealed::to_be_settled_here;
      fault_point("bucket.published");
      scope.settle();
      return settle();
    case sealing::queued:
      sealed_ = sealed::to_be_settled_by_pipeline;
      fault_point("bucket.queued");
      return scope.settle();
    case sealing::refused:
    case sealing::again:
      // A store is reopened only with all turns, so the refusal lasts as long as this turn.
      outcome_.emplace(fail(*core_->refusal()));
      scope.rollback();
      return this->complete(std::move(*outcome_));
    }
  }

  /// The bucket crashed while it ran this, or never ran it.
  void reject(error why) noexcept final {
    switch (sealed_) {
    case sealed::no:
      return this->complete(fail(of_this_bucket(why)));
    case sealed::to_be_settled_here: // the commit stands, only its actor is gone
      if (bug_point("bucket.outcome")) [[unlikely]]
        return this->complete(fail(of_this_bucket(why)));
      return settle();
    case sealed::to_be_settled_by_pipeline:
      return;
    }
  }

  void settled(const error* failure) noexcept final {
    if (failure)
      this->complete(fail(of_this_bucket(*failure)));
    else
      settle();
  }
  void retain() noexcept final { this->add_ref(); }
  void let_go() noexcept final { this->release(); }

protected:
  /// Checks and edits. Runs inside the bucket. Returning an error undoes its edits; an exception
  /// crashes the bucket.
  virtual result<T> apply(commit_scope& scope) = 0;

  bucket_core& bucket() noexcept { return *core_; }

private:
  enum class sealed : std::uint8_t { no, to_be_settled_here, to_be_settled_by_pipeline };

  /// Names the bucket, if there is memory for it.
  error of_this_bucket(const error& e) const noexcept {
    try {
      return e.at({.bucket = core_->name()});
    } catch (const std::bad_alloc&) {
      return e;
    }
  }
  void settle() noexcept { this->complete(std::move(*outcome_)); }

  /// Without a commit of its own. What it says of other records must be what readers find, so it
  /// waits until that is published; what is wrong with the input itself it says at once.
  void answer_behind(sequence seen) {
    if (*outcome_ || outcome_->error() != errc::invalid) {
      sealed_ = sealed::to_be_settled_by_pipeline;
      if (core_->settle_behind(*this, seen))
        return;
      sealed_ = sealed::no;
      // Of the journal, which may lack it. A bucket that is being dropped is closed to others only.
      if (auto refused = core_->is_open() ? core_->refusal() : std::nullopt) [[unlikely]]
        outcome_.emplace(fail(std::move(*refused)));
    }
    settle();
  }

  ref<bucket_core> core_;
  std::optional<result<T>> outcome_;
  sealed sealed_ = sealed::no;
};

} // namespace holdfast::detail
