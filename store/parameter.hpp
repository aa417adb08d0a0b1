#pragma once

#include <holdfast/store/value.hpp>

#include <string>
#include <string_view>

namespace holdfast {

/// What stands for a parameter of a declarative query, see `declared_query`; as a value, a text.
struct query_parameter {
  std::string text;

  operator value() const { return value{text}; }
};

/// Stands for a parameter in the filter of a declarative query: `"age"_f >= parameter("least")`, or
/// `f<&user::age> >= parameter("least")`, whatever the member's type: what is given is checked when
/// the query is run. It is the text `{{ params.least }}`, so definitions that come as text can say
/// it as well; also as an item or a member of an operand. Blanks around the name are not part of
/// it. An empty one is refused where the query is defined.
query_parameter parameter(std::string_view name);

} // namespace holdfast
