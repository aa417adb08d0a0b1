#pragma once

#include <stdexcept>

namespace holdfast {

/// Thrown where a contract of this library is broken. Inside an actor it crashes the actor, and its
/// supervisor restarts it; anywhere else it is a bug to mend, not a condition to handle.
class contract_violation : public std::logic_error {
public:
  using std::logic_error::logic_error;
};

/// Checks a contract, in every build.
inline void ensure(bool holds, const char* contract) {
  if (!holds) [[unlikely]]
    throw contract_violation{contract};
}

} // namespace holdfast
