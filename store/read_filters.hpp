#pragma once

#include <holdfast/store/filter.hpp>

#include <functional>
#include <map>
#include <string>

namespace holdfast {

/// Which records of a bucket a query may see, by the bucket's name; of the others, all. Whatever
/// the query reads is as if the rest were not there: look-ups, lists, counts, aggregates. A bucket
/// may be defined later, so a name that no bucket has is no error: mind how they are spelled.
using read_filters = std::map<std::string, filter, std::less<>>;

} // namespace holdfast
