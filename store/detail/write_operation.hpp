#pragma once

#include <holdfast/runtime/fault.hpp>
#include <holdfast/runtime/operation.hpp>
#include <holdfast/store/detail/bucket_core.hpp>
#include <holdfast/store/detail/sealed_commit.hpp>

#include <memory>
#include <new>
#include <optional>

namespace holdfast::detail {

/// What a write did to the bucket's data.
enum class effect : std::uint8_t { none, changed };

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
    core_->address().submit(ref<job>{this});
  }

  void run() final {
    fault_point("bucket.started");
    if (auto refused = core_->refusal())
      return this->complete(fail(std::move(*refused)));
    try {
      core_->made().begin();
      outcome_.emplace(apply(*core_));
      if (*outcome_ && changed_ == effect::changed)
        core_->prepare_seal();
    } catch (const std::bad_alloc&) {
      core_->rollback();
      return this->complete(fail(core_->out_of_memory()));
    }
    if (!*outcome_ || changed_ == effect::none) {
      if (!*outcome_)
        core_->rollback();
      return this->complete(std::move(*outcome_));
    }
    fault_point("bucket.applied");
    switch (core_->seal(*this)) {
    case sealing::published:
      sealed_ = sealed::to_be_settled_here;
      fault_point("bucket.published");
      core_->after_seal();
      settle();
      break;
    case sealing::queued:
      sealed_ = sealed::to_be_settled_by_pipeline;
      fault_point("bucket.queued");
      core_->after_seal();
      break;
    case sealing::refused:
      core_->rollback();
      this->complete(fail(*core_->refusal()));
      break;
    }
  }

  /// The bucket crashed while it ran this, or never ran it.
  void reject(error why) noexcept final {
    switch (sealed_) {
    case sealed::no:
      return this->complete(fail(of_this_bucket(why)));
    case sealed::to_be_settled_here:
      return settle(); // the commit stands, only its actor is gone
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
  /// Checks everything, then edits; fills in the commit's bytes if the bucket is durable. Runs
  /// inside the bucket. Returning an error undoes its edits; an exception crashes the bucket.
  virtual result<T> apply(bucket_core& bucket) = 0;

  /// To be called by `apply` once it has edited anything.
  void changed() noexcept { changed_ = effect::changed; }
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

  ref<bucket_core> core_;
  std::optional<result<T>> outcome_;
  effect changed_ = effect::none;
  sealed sealed_ = sealed::no;
};

} // namespace holdfast::detail
