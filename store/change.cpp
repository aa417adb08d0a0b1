#include <holdfast/store/change.hpp>

namespace holdfast {

std::string_view to_string(cause why) noexcept {
  switch (why) {
  case cause::user:
    return "user";
  case cause::transaction:
    return "transaction";
  case cause::ttl:
    return "ttl";
  case cause::eviction:
    return "eviction";
  case cause::reference:
    return "reference";
  case cause::schema:
    return "schema";
  case cause::undo:
    return "undo";
  case cause::archive:
    return "archive";
  case cause::migration:
    return "migration";
  case cause::restore:
    return "restore";
  case cause::replica:
    return "replica";
  }
  return "unknown";
}

std::string_view to_string(change_kind kind) noexcept {
  switch (kind) {
  case change_kind::inserted:
    return "inserted";
  case change_kind::updated:
    return "updated";
  case change_kind::erased:
    return "erased";
  case change_kind::cleared:
    return "cleared";
  case change_kind::dropped:
    return "dropped";
  case change_kind::redefined:
    return "redefined";
  }
  return "unknown";
}

detail::bucket_topics::bucket_topics(const std::string& name) : bucket{name} {
  for (auto kind = change_kind::inserted; kind <= change_kind::redefined;
       kind = static_cast<change_kind>(static_cast<int>(kind) + 1))
    topics.push_back(topic::of({"bucket", name, holdfast::to_string(kind)}).value());
}

std::string change::to_string() const {
  auto text = bucket() + "." + std::string{holdfast::to_string(kind)};
  if (auto k = key(); !k.is_null())
    text += " " + k.to_string();
  else
    text += " of " + std::to_string(count);
  return text + " at " + std::to_string(seq) + " (" + std::string{holdfast::to_string(why)} + ")";
}

} // namespace holdfast
