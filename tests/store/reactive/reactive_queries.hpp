#pragma once

#include "tests/store/reactive/reactive_reader.hpp"

#include <functional>
#include <random>
#include <string>
#include <vector>

namespace holdfast::testing {

/// A query that can be run in any view, so that a subscription can be held against it.
struct reactive_query {
  std::string name;
  /// What it gives, as text; may throw.
  std::function<result<std::string>(const reactive_view&, const object& with)> run;
  std::optional<declared_query> declared;
  std::string parameter; ///< its only one; empty: none
};

using reactive_random = std::mt19937_64;

inline const std::vector<std::string> reactive_buckets{"one", "two", "three"};
constexpr int reactive_keys = 24; ///< 0 ... of each bucket

/// A definition with the fields n, t, r and f, and indexes at random.
schema random_schema(reactive_random& random, const std::string& name, bool persistent);
enum class deadlines { none, some };
/// The same with what ends records by other means than a write to them, at random: deadlines, a
/// capacity, and references between the buckets of one line, in a field `ref`.
schema with_endings(reactive_random& random, schema plain, deadlines ends);
object random_fields(reactive_random& random);
/// Of the records with a low or high `n` or `r`, where lists with a limit stand.
filter an_end_of_an_order(reactive_random& random);
reactive_query random_query(reactive_random& random, const std::string& name);
/// For one bucket or two.
read_filters random_read_filters(reactive_random& random);

/// What a declared query gave, as text.
std::string reactive_text(const query_value& from);
/// A record with its version.
std::string reactive_text(const record& r);
/// The answer of the function of `q`: a bucket that is not there is an error, what else it throws
/// is thrown.
result<std::string> reactive_answer(const reactive_query& q, const reactive_view& in,
                                    const object& with);
/// What a run would be told as, whatever it throws.
std::string reactive_outcome(const reactive_query& q, const reactive_view& in, const object& with);
std::string reactive_outcome(const result<query_value>& from);

} // namespace holdfast::testing
