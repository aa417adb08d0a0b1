// A store in memory, from the install tree's headers and libraries alone.
#include <holdfast/store/store.hpp>

#include <cstdio>

using namespace holdfast;

int main() {
  auto db = store::start();
  if (!db)
    return 1;
  auto users = db->define(schema("users")
                              .key("id", string().generated(uuid))
                              .field("email", string().format(email).pattern("@").unique()));
  if (!users)
    return 2;
  auto ann = users->insert({{"email", "ann@example.org"}}).get();
  if (!ann || users->where("email"_f == "ann@example.org").count().get() != 1u)
    return 3;
  std::puts(ann->to_string().c_str());
  return db->stop() ? 0 : 4;
}
