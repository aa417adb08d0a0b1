#pragma once

#include <holdfast/store/detail/aggregate.hpp>
#include <holdfast/store/detail/execute.hpp>
#include <holdfast/store/detail/group.hpp>
#include <holdfast/store/detail/validation.hpp>
#include <holdfast/store/field.hpp>
#include <holdfast/store/query.hpp>
#include <holdfast/store/schema.hpp>

#include <gmock/gmock.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace holdfast::testing {

/// A bucket without an actor: data, schema and a line of its own.
class test_bucket {
public:
  explicit test_bucket(const schema& definition)
      : schema_{compile(definition).value()}, data_{lines_.memory, detail::layout_of(*schema_, 0)} {
    data_.memory().keep(schema_->shared_layout());
  }

  const compiled_schema& definition() const { return *schema_; }

  void insert(const object& fields, std::int64_t expires_at = 0) {
    draft input{*schema_, fields};
    insert(input, expires_at);
  }
  void insert(draft& input, std::int64_t expires_at = 0) {
    auto issues = detail::check_insert(input);
    ASSERT_FALSE(issues) << issues->to_string();
    data_.insert(build(input, expires_at));
    data_.seal();
  }
  void update(value_view key, const object& fields) {
    draft changes{*schema_, fields};
    auto* old = head(key);
    auto how = detail::plan_update(*old, changes);
    void* memory = data_.memory().allocate(how.bytes);
    data_.replace(old, detail::build_update(memory, *old, changes, how, timestamp{}));
    data_.seal();
  }
  void erase(value_view key) {
    data_.erase(head(key));
    data_.seal();
  }

  /// Calls `fn(const reader&)` on the published state.
  template <class Fn>
  auto read(Fn&& fn) {
    detail::pin_guard pin{lines_.memory};
    return read_at(pin.seq(), fn);
  }
  template <class Fn>
  auto read_at(std::uint64_t seq, Fn&& fn) {
    detail::pin_guard pin{lines_.memory};
    detail::read_view view{data_, seq};
    return fn(detail::reader{*schema_, view, expiry_});
  }
  detail::commit_lines& lines() { return lines_; }
  void expect_expiry() { expiry_ = detail::expiry::possible; }

  /// The keys of a query's records, in order, as text.
  std::string keys(const query& q, std::int64_t now = 0) {
    auto found = read([&](const detail::reader& r) { return detail::all(r, q, now); });
    return found ? keys_of(*found) : found.error().to_string();
  }
  static std::string keys_of(const records& list) {
    std::string out;
    for (const auto& r : list)
      out += (out.empty() ? "" : " ") + text_of(r.key());
    return out;
  }
  explanation explain(const query& q) {
    return read([&](const detail::reader& r) { return detail::explain(r, q); }).value();
  }
  std::uint64_t count(const query& q, std::int64_t now = 0) {
    return read([&](const detail::reader& r) { return detail::count(r, q, now); }).value();
  }

  static std::string text_of(value_view key) {
    return key.is_string() ? std::string{key.as_string()} : key.to_string();
  }

private:
  static std::uint64_t hash_of_key(value_view key) {
    return key.is_string() ? detail::hash_of(key.as_string()) : detail::hash_of(key.as_int());
  }
  detail::record_block* build(const draft& input, std::int64_t expires_at) {
    void* memory = data_.memory().allocate(detail::block_size(input));
    auto* block = detail::build(memory, input, timestamp{}, expires_at);
    block->hash = hash_of_key(detail::key_of(*block));
    return block;
  }
  detail::record_block* head(value_view key) {
    return key.is_string() ? data_.find_head(key.as_string(), hash_of_key(key))
                           : data_.find_head(key.as_int(), hash_of_key(key));
  }

  detail::commit_lines lines_;
  std::shared_ptr<const compiled_schema> schema_;
  detail::bucket_data data_;
  detail::expiry expiry_ = detail::expiry::none;
};

} // namespace holdfast::testing
