#include "people_store.hpp"

#include <utility>

namespace holdfast::bench {

schema people_schema(std::string name) {
  return schema{std::move(name)}
      .key("id", string().length(36, 36))
      .field("name", string().required().length(1, 200))
      .field("email", string().required().format(email).unique())
      .field("role", string().required().one_of("admin", "user"))
      .field("age", integer().min(0).max(150))
      .field("balance", number())
      .index("role");
}

people_store::people_store(store_options options)
    : db{must(store::start(std::move(options)))}, people{must(db.define(people_schema()))} {}

} // namespace holdfast::bench
