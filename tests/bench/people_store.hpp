#pragma once

#include "workload.hpp"

#include <holdfast/store/bucket.hpp>
#include <holdfast/store/store.hpp>

#include <stdexcept>

namespace holdfast::bench {

/// The value of a result; a benchmark has no use for an error but its text.
template <class T>
T must(result<T> r) {
  if (!r)
    throw std::runtime_error{r.error().to_string()};
  if constexpr (!std::is_void_v<T>)
    return std::move(*r);
}

/// Positions of the fields in the schema of `people_schema`.
enum person_field : std::size_t {
  id_field,
  name_field,
  email_field,
  role_field,
  age_field,
  balance_field
};

/// Workload W as a bucket: every field checked, the email unique, the role indexed.
schema people_schema(std::string name = "people");

/// A store with the bucket of workload W.
class people_store {
public:
  /// In memory.
  people_store() : people_store{store_options{}} {}
  explicit people_store(store_options options);

  /// Inserts as a service does: fields by name out of a struct of its own, blocking, checked.
  void insert(const person& p) const { static_cast<void>(must(pending_insert(p).get())); }

  pending<record> pending_insert(const person& p) const {
    return people.insert({{"id", p.id},
                          {"name", p.name},
                          {"email", p.email},
                          {"role", p.role},
                          {"age", p.age},
                          {"balance", p.balance}});
  }

  store db;
  bucket<> people;
};

} // namespace holdfast::bench
