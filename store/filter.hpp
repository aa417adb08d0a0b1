#pragma once

#include <holdfast/store/value.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

/// Which records a query is about: a tree of comparisons, as data. It can be planned against
/// indexes, matched against a record, printed and compared; it holds no code.
///
/// Built from fields: `"age"_f >= 18 && !("role"_f == "guest")`, or `f<&user::age> >= 18`, see
/// store/field.hpp; or from JSON text, see store/filter_json.hpp. A default-constructed filter
/// matches every record.
///
/// A field is named by its name in the schema, or by a path into it: `address.city` is the member
/// `city` of the object in the field `address`, `tags.0` the first item of the array in `tags`.
/// What a path does not lead to is absent. Members whose own name has a dot are out of its reach.
///
/// What a comparison means, with and without an index:
///   - a field that is null or absent matches `is_null`, `== nullptr` and an `in` that lists null,
///     and nothing else: not even `!=`;
///   - integers and reals compare by their exact value; texts bytewise; arrays and objects are
///     equal if they are equal in depth;
///   - where the schema has a date, also behind a path or in an array, a text stands for the date
///     that it says by ISO 8601;
///   - `contains` ignores the case of letters, see `kind::contains`; all else respects it;
///   - `!x` matches exactly the records that `x` does not match.
/// Which comparisons an index answers, by O(log n) per operand and in time proportional to what
/// they find; a query takes the cheapest way, and `selection::explain` says which:
///   - an ordered index: all but `contains` and `ends_with`; `ne` and negations as the rest of it;
///   - an inverted index: `contains` and `ends_with`, by those records that have the rarest 8 bytes
///     of the operand in them, or the hash of the item;
///   - one over several fields: the same of any one of them, where all before it are compared by
///     `eq` or `is_null` in the same conjunction;
///   - the key and unique values: `eq` and `in`.
/// In a disjunction, all terms must be such. The others (paths, fields without such an index) are
/// checks of each record that is left, which without an index is all of them; so it is read, too,
/// when what is asked for is much of the bucket, as a rule with `ne`.
///
/// An unknown field, a path into a field that has no members, or an operand of a kind the field can
/// never hold, is `invalid_argument` when the filter is used. What a member may hold is not known:
/// operands for paths are checked against the operator only.
///
/// Invariant: the tree is in normal form by construction. No conjunction stands directly in a
/// conjunction, no disjunction in a disjunction, and negation stands at the leaves only.
class filter {
public:
  enum class kind : std::uint8_t {
    all_of, ///< every one of `terms()`; with no terms: every record
    any_of, ///< at least one of `terms()`; with no terms: no record
    eq,
    ne, ///< present, and different
    lt,
    le,
    gt,
    ge,
    in,          ///< equal to one of `operands()`
    between,     ///< at least the first operand and at most the second
    is_null,     ///< null or absent
    exists,      ///< neither null nor absent
    starts_with, ///< a text that begins with the operand
    /// A text with the operand in it, whatever the case of letters: in the Latin (Latin-1, Extended
    /// A and Additional), Greek and Cyrillic scripts by Unicode's simple case folding (archaic
    /// letters aside), elsewhere bytewise. Or an array with an item that equals the operand.
    contains,
    ends_with, ///< a text that ends with the operand
  };

  filter() = default;

  /// One comparison. `op` is `eq` to `ge`, `starts_with`, `contains` or `ends_with`. Comparing
  /// equal to null is `is_null`.
  static filter compare(std::string_view field, kind op, value operand);
  static filter in(std::string_view field, std::vector<value> operands);
  static filter between(std::string_view field, value low, value high);
  static filter is_null(std::string_view field);
  static filter exists(std::string_view field);
  static filter starts_with(std::string_view field, std::string_view prefix);
  static filter contains(std::string_view field, value part);
  static filter ends_with(std::string_view field, std::string_view suffix);

  /// Every one of `terms`, or at least one. O(terms), where `a && b && ...` is O(terms^2).
  static filter all(std::vector<filter> terms);
  static filter any(std::vector<filter> terms);

  kind op() const noexcept { return op_; }
  /// Whether this is a comparison, and not a conjunction or disjunction.
  bool is_leaf() const noexcept { return op_ > kind::any_of; }
  /// Of a leaf: matches where the comparison does not.
  bool negated() const noexcept { return negated_; }
  /// Of a leaf: the field it looks at, or the path.
  const std::string& field() const noexcept { return field_; }
  /// Of a leaf: none, one, two or, for `in`, any number.
  std::span<const value> operands() const noexcept { return operands_; }
  /// Of a conjunction or disjunction.
  std::span<const filter> terms() const noexcept { return terms_; }
  /// Whether it matches every record because it asks for nothing.
  bool is_everything() const noexcept { return op_ == kind::all_of && terms_.empty(); }
  /// Whether it matches no record whatever: `!filter{}`.
  bool is_nothing() const noexcept { return op_ == kind::any_of && terms_.empty(); }

  /// As a person would write it: `role == "admin" and (age >= 18 or not name starts_with "A")`.
  std::string to_string() const;

  friend filter operator&&(filter a, filter b);
  friend filter operator||(filter a, filter b);
  friend filter operator!(filter a);
  friend bool operator==(const filter& a, const filter& b);

private:
  filter(std::string_view field, kind op, std::vector<value> operands);
  static filter join(kind op, std::vector<filter> terms);

  kind op_ = kind::all_of;
  bool negated_ = false;
  std::string field_;
  std::vector<value> operands_;
  std::vector<filter> terms_;
};

/// The spelling of a comparison in texts: `==`, `starts_with`, `is null`.
std::string_view to_string(filter::kind op) noexcept;

} // namespace holdfast
