#pragma once

#include <holdfast/runtime/result.hpp>
#include <holdfast/store/detail/record_layout.hpp>
#include <holdfast/store/record_limits.hpp>
#include <holdfast/store/value.hpp>
#include <holdfast/store/value_view.hpp>

#include <chrono>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace holdfast {

/// How an insert fills a field that was not given. `uuid` (version 4) and `cuid` make texts,
/// `autoincrement` counts per bucket, without gaps where inserts fail (transactions that take
/// numbers of one bucket at once conflict, see `transaction`), `insertion_time` is the time of the
/// insert in milliseconds.
enum class generated_by : std::uint8_t { nothing, uuid, cuid, autoincrement, insertion_time };
inline constexpr auto uuid = generated_by::uuid;
inline constexpr auto cuid = generated_by::cuid;
inline constexpr auto autoincrement = generated_by::autoincrement;
inline constexpr auto insertion_time = generated_by::insertion_time;

/// What a text must look like; see store/detail/formats.hpp for what exactly is accepted.
enum class text_format : std::uint8_t { any, email, url, iso_date };
inline constexpr auto email = text_format::email;
inline constexpr auto url = text_format::url;
inline constexpr auto iso_date = text_format::iso_date;

/// What erasing a record does to those that refer to it: nothing, the erasing is refused; they are
/// erased, too; or their field becomes null.
enum class on_delete : std::uint8_t { restrict, cascade, set_null };

/// A field that holds the key of a record of a bucket, which may be its own. Checked at commit, by
/// whatever the record came or went: no record refers to one that is not there.
struct reference {
  std::string bucket;
  on_delete what = on_delete::restrict;
  friend bool operator==(const reference&, const reference&) = default;
};

std::string_view to_string(generated_by how) noexcept;
std::string_view to_string(on_delete what) noexcept;
std::string_view to_string(text_format format) noexcept;

/// How deep the properties and items of a field may be nested in one another at the very most; a
/// store may allow less (`record_limits::nesting`), and no more: compiling, checking and printing a
/// definition go down by recursion, and stored definitions must be readable by every store.
inline constexpr unsigned max_nesting = record_limits{}.nesting;

struct field_definition;
class record_input;

/// A check of the user's own: what is wrong with the value, or nothing. It also sees the record
/// that the value is in, as it would be stored. Runs in the bucket's actor or, in a transaction, on
/// the transaction's thread, so perhaps on several threads at once; after the other rules of the
/// field and only if it has a value of the right type. What it throws is an issue, too.
using field_validator =
    std::function<std::optional<std::string>(value_view content, const record_input& whole)>;
/// The same for a whole record: what is wrong with it, one text each. Runs even if fields are
/// wrong.
using record_validator = std::function<std::vector<std::string>(const record_input& whole)>;

/// The rules of one field, as data.
struct field_options {
  field_type type = field_type::string;
  bool required = false;
  bool unique = false;
  generated_by generated = generated_by::nothing;
  text_format format = text_format::any;
  std::optional<value> min;
  std::optional<value> max;
  std::optional<std::size_t> min_length;
  std::optional<std::size_t> max_length;
  std::optional<std::string> pattern;
  std::optional<std::vector<value>> one_of;
  std::optional<value> default_value;
  std::optional<reference> references;
  std::vector<field_definition> properties;   ///< of an object: the members it may have
  std::shared_ptr<const field_options> items; ///< of an array: the rules of each item
  std::function<value()> default_function;
  field_validator validator;

  /// Functions are compared by presence only.
  friend bool operator==(const field_options& a, const field_options& b);
};

/// A field with its name.
struct field_definition {
  std::string name;
  field_options options;
  friend bool operator==(const field_definition&, const field_definition&) = default;
};

/// A field in the making: `string().required().length(1, 200)`. Start from one of the functions
/// below.
class field_spec {
public:
  explicit field_spec(field_type type) { options_.type = type; }
  explicit field_spec(field_options options) : options_(std::move(options)) {}

  /// Neither absent nor null; an empty text is fine.
  field_spec& required() { return options_.required = true, *this; }
  /// No two records of the bucket have the same value; null does not count.
  field_spec& unique() { return options_.unique = true, *this; }
  /// Filled by every insert that does not give it; no update may change it.
  field_spec& generated(generated_by how) { return options_.generated = how, *this; }
  /// What an insert that does not give the field stores in it. A function is called for each such
  /// insert, in the bucket's actor or on the transaction's thread, one call at a time; if it
  /// throws, that insert fails.
  field_spec& otherwise(value v) { return options_.default_value = std::move(v), *this; }
  template <class F>
  requires std::is_invocable_v<F&> && std::convertible_to<std::invoke_result_t<F&>, value>
      field_spec& otherwise(F make) {
    struct shared {
      explicit shared(F f) : make(std::move(f)) {}
      F make;
      std::recursive_mutex one_at_a_time;
    };
    options_.default_function = [all = std::make_shared<shared>(std::move(make))]() -> value {
      const std::lock_guard lock{all->one_at_a_time};
      return all->make();
    };
    return *this;
  }
  /// One of these values, compared as values are (so 1 allows 1.0). A vector or `array` alone is
  /// the list of them.
  field_spec& one_of(std::vector<value> values) {
    return options_.one_of = std::move(values), *this;
  }
  template <std::convertible_to<value>... Values>
  requires(sizeof...(Values) > 0 &&
           !(sizeof...(Values) == 1 && (std::same_as<std::decay_t<Values>, std::vector<value>> ||
                                        ...))) field_spec& one_of(Values&&... values) {
    return one_of(std::vector<value>{value(std::forward<Values>(values))...});
  }
  /// Bounds of a number or date, inclusive. Dates may be given as text or milliseconds.
  field_spec& min(value v) { return options_.min = std::move(v), *this; }
  field_spec& max(value v) { return options_.max = std::move(v), *this; }
  /// Bounds of a text's length in Unicode code points, inclusive.
  field_spec& length(std::size_t least, std::size_t most) {
    return min_length(least).max_length(most);
  }
  field_spec& min_length(std::size_t n) { return options_.min_length = n, *this; }
  field_spec& max_length(std::size_t n) { return options_.max_length = n, *this; }
  /// A regular expression (RE2 syntax) to be found anywhere in the text; anchor it with `^` and
  /// `$`.
  field_spec& pattern(std::string regex) { return options_.pattern = std::move(regex), *this; }
  /// The field holds the key of a record of that bucket, or null. Gets an ordered index unless it
  /// has one.
  field_spec& references(std::string bucket, on_delete what = on_delete::restrict) {
    return options_.references = reference{std::move(bucket), what}, *this;
  }
  field_spec& format(text_format f) { return options_.format = f, *this; }
  /// A member of an object, with its rules, as deep as one likes (up to `max_nesting`). Members
  /// that are not named are stored unchecked; in a `closed` bucket they are refused. A member that
  /// is missing or null is refused if it is `required`. Members are neither unique nor generated,
  /// have no default and refer to nothing.
  field_spec& property(std::string name, field_spec spec);
  /// The rules of each item of an array; null items are not checked.
  field_spec& items(const field_spec& spec);
  /// A check of one's own; see `field_validator`. Not stored: give it again when the bucket is
  /// defined again.
  field_spec& validate(field_validator check) {
    return options_.validator = std::move(check), *this;
  }

  const field_options& options() const noexcept { return options_; }

private:
  field_options options_;
};

/// Valid UTF-8.
inline field_spec string() { return field_spec(field_type::string); }
/// An int64 or a finite double.
inline field_spec number() { return field_spec(field_type::number); }
/// An int64; a double that is a whole number is converted.
inline field_spec integer() { return field_spec(field_type::integer); }
inline field_spec boolean() { return field_spec(field_type::boolean); }
/// Any object, any array.
inline field_spec object_of() { return field_spec(field_type::object); }
inline field_spec array_of() { return field_spec(field_type::array); }
/// ISO 8601 text or milliseconds since the epoch, stored as the latter.
inline field_spec date() { return field_spec(field_type::date); }

/// An ordered index over one field, or over several: by the first, then the second, and so on; or
/// an inverted one, over one field.
struct index_definition {
  std::vector<std::string> fields;
  bool inverted = false;
  friend bool operator==(const index_definition&, const index_definition&) = default;
};

/// Which record goes when a bucket is full.
///
/// How near `least_recently_used` comes: the records are looked through in a circle, and the first
/// one met that was not used (by `get`, `visit` or `contains` of its key, or changed) since it was
/// looked at before, or since its insert, goes. So what goes was not used for one whole turn, in
/// which each other record was looked at once, and nothing stays that was not used for two, if it
/// may go at all; within a turn the order is not that of use. Uses are noted by the number of the
/// insert modulo a power of two that is at least twice the capacity, and 4,194,304 at most: of
/// records whose numbers are equal there, a use of one may count for another instead. A restart
/// forgets all uses.
enum class evict : std::uint8_t {
  oldest,              ///< the one inserted longest ago
  least_recently_used, ///< approximately: one that was not used for at least a turn
};
std::string_view to_string(evict policy) noexcept;

/// A length of time as text: a number and `s`, `m`, `h` or `d`, with a fraction and a blank between
/// if one likes: `90s`, `1.5 h`. Error: `invalid_argument`.
result<std::chrono::milliseconds> parse_duration(std::string_view text);

/// The definition of a bucket, built step by step:
///
///     schema("users").key("id", string().generated(uuid))
///                    .field("name", string().required().length(1, 200))
///                    .field("role", string().one_of("admin", "user").otherwise("user"))
///                    .index("role")
///
/// A schema is plain data and may contradict itself; `compile` finds that out.
class schema {
public:
  explicit schema(std::string name) : name_(std::move(name)) {}

  /// Adds a field, and makes it the key: a string or an integer, always required.
  schema& key(std::string name, field_spec spec);
  /// Makes a field the key that is defined elsewhere.
  schema& key(std::string name) { return key_ = std::move(name), *this; }
  schema& field(std::string name, field_spec spec);
  schema& index(std::string field);
  /// An ordered index over 2 to 8 fields, the ones that are compared for equality first. It answers
  /// comparisons for equality with its first fields, together with any one on the next; it gives
  /// the order by its last field, if all others are fixed.
  schema& index(std::initializer_list<std::string> fields);
  schema& index(std::vector<std::string> fields);
  /// An inverted index over the parts of a text or array, for `contains` and `ends_with`: it finds
  /// the texts with a part in them, also at their end, whatever the case of letters, and the arrays
  /// with an item. It has an entry for each character or item that a value has (16 bytes or a
  /// little more, O(log n) each to add or remove); values of more bytes or items than `max_parts`
  /// have one, and each search looks at them.
  schema& inverted_index(std::string field);
  /// Records end by themselves so long after their insert, unless it says otherwise
  /// (`write_options`). They are hidden from then on, and removed soon (`store_options`).
  schema& expire_after(std::chrono::milliseconds how_long);
  /// The same as text, see `parse_duration`; what cannot be read is a contradiction of the schema.
  schema& expire_after(std::string_view text);
  schema& never_expire() { return expire_after_.reset(), *this; }
  /// At most so many records: an insert beyond it evicts others in the same commit, with cause
  /// `eviction`; first those that have expired. They go behind its own changes and the checks of
  /// each; what the records that are left refer to is checked then. A record that another one
  /// refers to and restricts, or to which what the commit writes refers, is passed over; if that is
  /// so of all, the insert fails with `overloaded`. Amortised O(log n); but where what keeps
  /// records refers to them by way of other buckets (B cascades, and C refers to B and restricts),
  /// each write to that has the next insert look at all of them anew.
  schema& capacity(std::uint64_t most, evict policy = evict::oldest) {
    return capacity_ = most, eviction_ = policy, *this;
  }
  /// A check of one's own over whole records; see `record_validator`. Not stored.
  schema& validate(record_validator check) { return validator_ = std::move(check), *this; }
  /// Results come in key order instead of the order of insertion. Gives the key an ordered index,
  /// for ranges and prefixes.
  schema& ordered() { return ordered_ = true, *this; }
  /// Fields outside the schema are refused; else they are stored unchecked.
  schema& closed() { return closed_ = true, *this; }
  /// Whether the bucket is kept in the store's journal, if the store has one.
  schema& persistent(bool yes) { return persistent_ = yes, *this; }

  const std::string& name() const noexcept { return name_; }
  const std::string& key_name() const noexcept { return key_; }
  const std::vector<field_definition>& fields() const noexcept { return fields_; }
  /// The inverted ones stand behind the others.
  const std::vector<index_definition>& indexes() const noexcept { return indexes_; }
  bool is_ordered() const noexcept { return ordered_; }
  bool is_closed() const noexcept { return closed_; }
  bool is_persistent() const noexcept { return persistent_; }
  std::optional<std::chrono::milliseconds> expires_after() const noexcept { return expire_after_; }
  std::optional<std::uint64_t> max_records() const noexcept { return capacity_; }
  evict eviction() const noexcept { return eviction_; }
  const record_validator& validator() const noexcept { return validator_; }
  /// The text of an `expire_after` that could not be read; empty if there is none.
  const std::string& bad_duration() const noexcept { return bad_duration_; }

  /// Functions are compared by presence only.
  friend bool operator==(const schema& a, const schema& b);
  /// One line for each part, for error texts and terminals.
  std::string to_string() const;

private:
  std::string name_;
  std::string key_;
  std::vector<field_definition> fields_;
  std::vector<index_definition> indexes_;
  bool ordered_ = false;
  bool closed_ = false;
  bool persistent_ = true;
  std::optional<std::chrono::milliseconds> expire_after_;
  std::optional<std::uint64_t> capacity_;
  evict eviction_ = evict::oldest;
  std::string bad_duration_;
  record_validator validator_;
};

class compiled_schema;

/// Checks a definition and prepares it for use. Fails with `invalid_schema`, whose detail lists
/// every contradiction at once; then nothing is left behind. The outcome is immutable and shared by
/// threads.
/// `allowed` is for records, not for the definition.
result<std::shared_ptr<const compiled_schema>> compile(const schema& definition,
                                                       const record_limits& allowed = {});

} // namespace holdfast
