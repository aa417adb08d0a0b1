#pragma once

#include <holdfast/store/record.hpp>
#include <holdfast/store/schema.hpp>

#include <chrono>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace holdfast {

/// What an existing record gets in a new field; null for nothing. Called on the bucket's thread; if
/// it throws, the update of the bucket fails.
using field_backfill = std::function<value(const record& old)>;

/// By the name of the new field.
using backfill = std::map<std::string, field_backfill, std::less<>>;

/// A change of a bucket's definition, to be made while it is in use; see `store::update_bucket`:
///
///     bucket_update().add_field("age", integer().min(0).otherwise(0))
///                    .add_field("initial", string(), first_letter_of_name)
///                    .add_index("age")
///                    .expire_after(24h)
class bucket_update {
public:
  /// Adds a field. Existing records get what `fill` gives, else the field's default, else nothing;
  /// a field of that name that they had outside the schema becomes this one. A field that refers to
  /// another bucket begins as null in them, and generated values are not made up for them.
  bucket_update& add_field(std::string name, field_spec spec, field_backfill fill = {});
  bucket_update& add_index(std::string field);
  bucket_update& add_index(std::vector<std::string> fields);
  bucket_update& add_index(std::initializer_list<std::string> fields);
  bucket_update& add_inverted_index(std::string field);
  /// For records that are inserted afterwards; those that are there keep their deadlines.
  bucket_update& expire_after(std::chrono::milliseconds how_long);
  bucket_update& never_expire();

  /// The definition with this change. Error: `already_exists` for a field that is there. An index
  /// that is there is left alone.
  result<schema> applied_to(const schema& old) const;
  const backfill& fill() const noexcept { return fill_; }

private:
  std::vector<field_definition> fields_;
  std::vector<index_definition> indexes_;
  std::optional<std::optional<std::chrono::milliseconds>> expire_after_;
  backfill fill_;
};

} // namespace holdfast
