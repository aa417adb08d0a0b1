#pragma once

#include <holdfast/runtime/fault.hpp>
#include <holdfast/store/detail/write_operation.hpp>

#include <memory>
#include <string>
#include <variant>

/// The operations that the store itself does on its buckets and its catalog.
namespace holdfast::detail {

/// Stands for "nothing" as the value of an operation.
using void_result = std::monostate;

/// A job for an address that has no commit.
class plain_operation : public operation<void_result> {
public:
  explicit plain_operation(holdfast::address& at) : operation{at.owner()}, at_{&at} {}
  void start() override { at_->submit(ref<job>{this}); }

private:
  ref<holdfast::address> at_;
};

/// Answers when the actor is up.
class probe_operation final : public plain_operation {
public:
  using plain_operation::plain_operation;
  void run() override { complete(void_result{}); }
};

/// Crashes the actor as a bug in it would.
class crash_operation final : public plain_operation {
public:
  explicit crash_operation(holdfast::address& at, std::string why = "crashed on purpose")
      : plain_operation{at}, why_{std::move(why)} {}
  void run() override { throw injected_fault{why_}; }

private:
  std::string why_;
};

/// Puts the user's own schema in the place of the equal one that was restored.
class adopt_operation final : public plain_operation {
public:
  adopt_operation(ref<bucket_core> core, std::shared_ptr<const compiled_schema> schema)
      : plain_operation{core->address()}, core_{std::move(core)}, schema_{std::move(schema)} {}
  void run() override {
    const turn_guard mine{core_->turn()};
    core_->adopt(std::move(schema_));
    complete(void_result{});
  }

private:
  ref<bucket_core> core_;
  std::shared_ptr<const compiled_schema> schema_;
};

/// Ends a bucket behind all that it has sealed: one commit erases its records, its counter and its
/// schema.
class drop_operation final : public write_operation<void_result> {
public:
  using write_operation::write_operation;

private:
  result<void_result> apply(commit_scope& scope) override {
    auto& b = scope.home();
    if (auto cleared = scope.clear(b, change_kind::dropped); !cleared)
      return fail(std::move(cleared.error()));
    if (b.durable()) {
      erase(bucket_prefix('n', b.id()));
      erase(bucket_prefix('r', b.id()));
      erase(bucket_prefix('c', b.id()));
    }
    b.close(errc::dropped);
    return void_result{};
  }
};

/// Puts another definition of a bucket in place.
class redefine_operation final : public write_operation<void_result> {
public:
  redefine_operation(ref<bucket_core> to, durability how,
                     std::shared_ptr<const compiled_schema> next, const backfill& fill)
      : write_operation{std::move(to), how}, next_{std::move(next)}, fill_{fill} {}

private:
  result<void_result> apply(commit_scope& scope) override {
    if (auto changed = scope.redefine(scope.home(), next_, fill_); !changed)
      return fail(std::move(changed.error()));
    return void_result{};
  }
  std::shared_ptr<const compiled_schema> next_;
  backfill fill_;
};

/// A commit that belongs to no bucket: a change of the catalog.
class catalog_operation final : public operation<void_result>, public sealed_commit {
public:
  catalog_operation(runtime& rt, pipeline& pipe) : operation{rt}, pipe_{pipe} {
    level = durability::sync;
    unwanted = of_no_bucket;
  }
  void start() override {
    const auto sealed = pipe_.seal(*this, [](sequence) noexcept {});
    if (sealed == pipeline::seal_outcome::refused)
      complete(fail(*pipe_.refusal()));
  }
  void run() override {}
  void settled(const error* failure) noexcept override {
    complete(failure ? result<void_result>{fail(*failure)} : result<void_result>{void_result{}});
  }
  void retain() noexcept override { add_ref(); }
  void let_go() noexcept override { release(); }

private:
  pipeline& pipe_;
};

/// The value under `format_key`.
std::string format_value(bucket_id next);

} // namespace holdfast::detail
