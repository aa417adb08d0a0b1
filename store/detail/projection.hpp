#pragma once

#include <holdfast/store/detail/match.hpp>
#include <holdfast/store/query.hpp>
#include <holdfast/store/record.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::detail {

/// What a query's `fields` name of a record: copies under the names that were given, without those
/// that are null; without names, all of it. Refers to the names.
class projection {
public:
  /// `invalid_argument` for a field that there is not, and for more names than `limits.fields`.
  static result<projection> bind(std::span<const field_name> names, const record_layout& layout) {
    if (const auto most = layout.limits().fields; names.size() > most)
      return fail(errc::invalid_argument,
                  layout.bucket() + ": a projection of " + std::to_string(names.size()) +
                      " names is above the limit " + std::to_string(most),
                  {layout.bucket(), {}, {}});
    projection out;
    for (const auto& name : names) {
      auto field = find_field(layout, name.text);
      if (!field)
        return fail(std::move(field.error()));
      out.columns_.push_back({name.text, *field});
    }
    return out;
  }

  object of(const record_block& block) const {
    if (columns_.empty())
      return record::share(const_cast<record_block*>(&block)).to_object(); // immutable but for refs
    object out;
    for (const auto& [name, field] : columns_)
      if (auto x = field_of(block, field); !x.is_null())
        out.set(name, x.materialize());
    return out;
  }

  /// The values themselves, as many as there are names.
  void read(const record_block& block, std::span<value_view> to) const noexcept {
    for (std::size_t i = 0; i < columns_.size(); ++i)
      to[i] = field_of(block, columns_[i].field);
  }

private:
  struct column {
    std::string_view name;
    bound_field field;
  };
  std::vector<column> columns_;
};

} // namespace holdfast::detail
