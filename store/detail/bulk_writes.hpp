#pragma once

#include <holdfast/store/detail/putting.hpp>
#include <holdfast/store/detail/write_operation.hpp>
#include <holdfast/store/draft.hpp>
#include <holdfast/store/filter.hpp>
#include <holdfast/store/query.hpp>
#include <holdfast/store/record.hpp>
#include <holdfast/store/write_options.hpp>

#include <cstdint>
#include <utility>
#include <vector>

/// Writes of many records as one commit each. All or none: the error of one names it.
namespace holdfast::detail {

class put_many_operation final : public write_operation<records> {
public:
  put_many_operation(ref<bucket_core> to, durability acked, const write_options& how, putting as,
                     const std::vector<object>& list);

private:
  result<records> apply(commit_scope& scope) override;
  write_options how_;
  putting as_;
  std::vector<draft> drafts_;
};

class update_many_operation final : public write_operation<std::uint64_t> {
public:
  template <class Fields>
  update_many_operation(ref<bucket_core> to, durability acked, const write_options& how,
                        filter which, const Fields& changes)
      : write_operation{std::move(to), acked}, how_{how}, which_{std::move(which)},
        draft_{bucket().schema(), changes} {}

private:
  result<std::uint64_t> apply(commit_scope& scope) override;
  write_options how_;
  filter which_;
  draft draft_;
};

class erase_many_operation final : public write_operation<std::uint64_t> {
public:
  erase_many_operation(ref<bucket_core> to, durability acked, filter which)
      : write_operation{std::move(to), acked}, which_{std::move(which)} {}

private:
  result<std::uint64_t> apply(commit_scope& scope) override;
  filter which_;
};

} // namespace holdfast::detail
