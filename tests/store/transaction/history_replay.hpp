#pragma once

#include "history.hpp"
#include "history_model.hpp"

#include <optional>
#include <string>
#include <vector>

namespace holdfast::testing {

/// Of both lines.
std::string to_string(const moment& m);

/// Two moments of which neither comes before the other, a commit outside of the time in which its
/// transaction ran, or one that began without all that others had been told of by then.
std::optional<std::string> find_disorder(const history& ran);

/// The transactions that wrote in an order that each line and each snapshot agrees with, and in
/// which they gave what they did; or why there is none.
struct serial_order {
  std::vector<const done_transaction*> writers;
  std::string why_not;
};
serial_order order_of_writers(const history& ran);

/// What a transaction did otherwise than the model says; nothing if they agree. The model has then
/// done it, too.
std::optional<std::string> disagreement(history_model& m, const done_transaction& t);

} // namespace holdfast::testing
