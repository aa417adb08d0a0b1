#pragma once

#include <holdfast/store/detail/validation_rules.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::detail {

/// Collects violations; costs nothing while there are none.
class issue_list {
public:
  explicit issue_list(std::string_view bucket) noexcept : bucket_(bucket) {}

  /// `what` goes on after `bucket.field: `.
  void add(std::string_view field, std::string_view code, std::string_view what);
  void add(const std::vector<issue>& more) { all_.insert(all_.end(), more.begin(), more.end()); }

  bool empty() const noexcept { return all_.empty(); }
  const std::vector<issue>& all() const noexcept { return all_; }
  /// All of it as one error, or nothing. The message is the violation's if there is one only, else
  /// their number.
  std::optional<error> as_error(errc code) const;

private:
  std::string_view bucket_;
  std::vector<issue> all_;
};

/// The form in which a field of that type stores `v`: dates as milliseconds, whole numbers of
/// integer fields as int64. Values that do not fit the type are returned as they are. Never
/// allocates.
value_view stored_form(field_type type, value_view v) noexcept;

/// Whether a value in stored form is of the type; null is of none.
bool of_type(field_type type, value_view v) noexcept;

/// Checks one value, in stored form, against all rules of its field.
void check_field(const field_rule& rule, value_view v, issue_list& found);

/// Checks what every value must be, rules or not: texts UTF-8, numbers finite.
void check_content(std::string_view field, value_view v, issue_list& found);

/// A value for an error text: JSON, cut after some 60 characters.
std::string shown(value_view v);

} // namespace holdfast::detail
