#include <holdfast/store/bucket_update.hpp>

#include <algorithm>

namespace holdfast {

bucket_update& bucket_update::add_field(std::string name, field_spec spec, field_backfill fill) {
  if (fill)
    fill_[name] = std::move(fill);
  fields_.push_back({std::move(name), spec.options()});
  return *this;
}

bucket_update& bucket_update::add_index(std::string field) {
  return add_index(std::vector<std::string>{std::move(field)});
}

bucket_update& bucket_update::add_index(std::vector<std::string> fields) {
  indexes_.push_back({std::move(fields)});
  return *this;
}

bucket_update& bucket_update::add_index(std::initializer_list<std::string> fields) {
  return add_index(std::vector<std::string>{fields});
}

bucket_update& bucket_update::add_inverted_index(std::string field) {
  indexes_.push_back({{std::move(field)}, true});
  return *this;
}

bucket_update& bucket_update::expire_after(std::chrono::milliseconds how_long) {
  expire_after_.emplace(how_long);
  return *this;
}

bucket_update& bucket_update::never_expire() {
  expire_after_.emplace(std::nullopt);
  return *this;
}

result<schema> bucket_update::applied_to(const schema& old) const {
  auto out = old;
  for (auto& f : fields_) {
    if (std::ranges::find(old.fields(), f.name, &field_definition::name) != old.fields().end())
      return fail(errc::already_exists, old.name() + "." + f.name + ": the field is there already",
                  {old.name(), {}, f.name});
    out.field(f.name, field_spec{f.options});
  }
  for (auto& index : indexes_)
    if (std::ranges::find(out.indexes(), index) == out.indexes().end())
      index.inverted ? out.inverted_index(index.fields.front()) : out.index(index.fields);
  if (expire_after_ && *expire_after_)
    out.expire_after(**expire_after_);
  else if (expire_after_)
    out.never_expire();
  return out;
}

} // namespace holdfast
