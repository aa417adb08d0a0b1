#pragma once

#include <holdfast/store/detail/validation_rules.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::detail {

/// Collects violations, of which it keeps the first `max_issues` and counts the others; costs
/// nothing while there are none.
class issue_list {
public:
  explicit issue_list(std::string_view bucket) noexcept : bucket_(bucket) {}

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
  const scope* innermost_ = nullptr;
  std::size_t count_ = 0;
  std::vector<issue> all_;
};

/// The form in which a field of that type stores `v`: dates as milliseconds, whole numbers of
/// integer fields as int64. Values that do not fit the type are returned as they are. Never
/// allocates.
value_view stored_form(field_type type, value_view v) noexcept;

/// Whether a value in stored form is of the type; null is of none.
bool of_type(field_type type, value_view v) noexcept;

/// Checks one value, in stored form, against all rules of its field and of what is nested in it.
/// The user's own checks run only if they are shown the `whole` record.
void check_field(const field_rule& rule, value_view v, issue_list& found,
                 const record_input* whole = nullptr);

/// Runs the user's own checks alone, of a value and of what is nested in it, where the type fits.
void check_by_functions(const field_rule& rule, value_view v, const record_input& whole,
                        issue_list& found);
/// Runs the user's own check of the whole record, if there is one.
void check_by_function(const schema& definition, const record_input& whole, issue_list& found);

/// Whether a nested value is not in stored form; and that form.
bool to_be_converted(const field_rule& rule, value_view v) noexcept;
value converted(const field_rule& rule, value_view v);

/// Checks what every value must be, rules or not: texts UTF-8, numbers finite.
void check_content(std::string_view field, value_view v, issue_list& found);

/// Why a name cannot stand in a line of a message, a tree or metrics: as what follows "the name";
/// empty if it can.
std::string line_fault(std::string_view name);

/// Why the name of a field or a bucket cannot be one, as what follows "the name"; empty if it can.
std::string name_fault(std::string_view name);

/// A value for an error text: JSON, cut after some 60 characters.
std::string shown(value_view v);
/// The same of a name, without quotation marks, and of a text that is in words already.
std::string shown_name(std::string_view name);
std::string shortened(std::string text);

} // namespace holdfast::detail
