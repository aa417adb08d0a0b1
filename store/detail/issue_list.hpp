#pragma once

#include <holdfast/runtime/error.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::detail {

/// Collects violations, of which it keeps the first `most` and counts the others; costs
/// nothing while there are none.
class issue_list {
public:
  issue_list(std::string_view bucket, std::size_t most) noexcept : bucket_(bucket), most_(most) {}

  /// Goes into a field or item, until the scope ends: names are then those of its members. Only a
  /// violation makes text of it.
  class scope {
  public:
    // Not inlined: g++ 12 takes the pointer to a scope for one that outlives it.
    [[gnu::noinline]] scope(issue_list& of, std::string_view field) noexcept
        : of_{of}, outer_{of.innermost_}, field_{field} {
      of.innermost_ = this;
    }
    [[gnu::noinline]] scope(issue_list& of, std::size_t position) noexcept
        : of_{of}, outer_{of.innermost_}, position_{position}, is_item_{true} {
      of.innermost_ = this;
    }
    scope(const scope&) = delete;
    scope& operator=(const scope&) = delete;
    ~scope() { of_.innermost_ = outer_; }

    /// `address.city`, `tags[1]`.
    std::string path() const;

  private:
    issue_list& of_;
    const scope* outer_;
    std::string_view field_ = {};
    std::size_t position_ = 0;
    bool is_item_ = false;
  };

  /// `what` goes on after `bucket.field: `; without a field it is said of the scope.
  void add(std::string_view field, std::string_view code, std::string_view what);
  void add(const std::vector<issue>& more);

  bool empty() const noexcept { return count_ == 0; }
  std::size_t count() const noexcept { return count_; }
  const std::vector<issue>& all() const noexcept { return all_; }
  /// All of it as one error, or nothing. The message is the violation's if there is one only, else
  /// their number.
  std::optional<error> as_error(errc code) const;

private:
  std::string_view bucket_;
  std::size_t most_;
  const scope* innermost_ = nullptr;
  std::size_t count_ = 0;
  std::vector<issue> all_;
};

} // namespace holdfast::detail
