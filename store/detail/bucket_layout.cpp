#include <holdfast/store/detail/bucket_layout.hpp>

#include <holdfast/runtime/ensure.hpp>
#include <holdfast/store/detail/validation_rules.hpp>

namespace holdfast::detail {
namespace {

index_kind kind_of(field_type type) {
  switch (type) {
  case field_type::boolean:
    return index_kind::boolean;
  case field_type::integer:
  case field_type::date:
    return index_kind::integer;
  case field_type::number:
    return index_kind::number;
  case field_type::string:
    return index_kind::text;
  case field_type::object:
  case field_type::array:
    break;
  }
  ensure(false, "bucket: an index over a field without an order");
  return index_kind::text;
}

} // namespace

bucket_layout layout_of(const compiled_schema& schema, std::uint64_t identity) {
  bucket_layout out;
  out.identity = identity;
  out.key_slot = static_cast<std::uint32_t>(schema.key_slot());
  for (auto& index : schema.indexes())
    out.indexes.push_back({index.type,
                           static_cast<std::uint32_t>(index.slot),
                           index.type == index_type::inverted
                               ? index_kind::part
                               : kind_of(schema.layout().type(index.slot)),
                           {index.more.begin(), index.more.end()}});
  return out;
}

} // namespace holdfast::detail
