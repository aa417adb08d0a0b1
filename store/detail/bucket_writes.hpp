#pragma once

#include <holdfast/store/detail/write_operation.hpp>
#include <holdfast/store/draft.hpp>

#include <holdfast/store/query.hpp>
#include <holdfast/store/record.hpp>
#include <holdfast/store/value.hpp>
#include <holdfast/store/write_options.hpp>

#include <cstdint>
#include <utility>
#include <vector>

/// The writes of a bucket handle as operations.
namespace holdfast::detail {

class insert_operation final : public write_operation<record> {
public:
  template <class Fields>
  insert_operation(ref<bucket_core> to, durability acked, const write_options& how,
                   const Fields& fields)
      : write_operation{std::move(to), acked}, how_{how}, draft_{bucket().schema(), fields} {}
  insert_operation(ref<bucket_core> to, durability acked, const write_options& how, draft fields)
      : write_operation{std::move(to), acked}, how_{how}, draft_{std::move(fields)} {}

private:
  result<record> apply(commit_scope& scope) override;
  write_options how_;
  draft draft_;
};

class update_operation final : public write_operation<record> {
public:
  template <class Fields>
  update_operation(ref<bucket_core> to, durability acked, const write_options& how, value key,
                   const Fields& changes)
      : write_operation{std::move(to), acked}, how_{how}, key_{std::move(key)},
        draft_{bucket().schema(), changes} {}

private:
  result<record> apply(commit_scope& scope) override;
  write_options how_;
  value key_;
  draft draft_;
};

class touch_operation final : public write_operation<record> {
public:
  touch_operation(ref<bucket_core> to, durability acked, const write_options& how, value key)
      : write_operation{std::move(to), acked}, how_{how}, key_{std::move(key)} {}

private:
  result<record> apply(commit_scope& scope) override;
  write_options how_;
  value key_;
};

class upsert_operation final : public write_operation<record> {
public:
  template <class Fields>
  upsert_operation(ref<bucket_core> to, durability acked, const write_options& how,
                   const Fields& fields)
      : write_operation{std::move(to), acked}, how_{how}, draft_{bucket().schema(), fields} {}
  upsert_operation(ref<bucket_core> to, durability acked, const write_options& how, draft fields)
      : write_operation{std::move(to), acked}, how_{how}, draft_{std::move(fields)} {}

private:
  result<record> apply(commit_scope& scope) override;
  write_options how_;
  draft draft_;
};

class erase_operation final : public write_operation<record> {
public:
  erase_operation(ref<bucket_core> to, durability acked, const write_options& how, value key)
      : write_operation{std::move(to), acked}, how_{how}, key_{std::move(key)} {}

private:
  result<record> apply(commit_scope& scope) override;
  write_options how_;
  value key_;
};

class clear_operation final : public write_operation<std::uint64_t> {
public:
  using write_operation::write_operation;

private:
  result<std::uint64_t> apply(commit_scope& scope) override;
};

} // namespace holdfast::detail
