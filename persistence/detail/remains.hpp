#pragma once

#include <holdfast/persistence/detail/mark.hpp>

#include <optional>

namespace holdfast::detail {

/// What an open that must refuse a damaged journal knows of its commits.
struct remains {
  std::optional<mark> marked;    ///< what MARK records, if it can be read
  std::optional<sequence> found; ///< up to which commit all is there, if that can be told
};

/// `e`, with what is lost and what to do at the end of its text; all else of it stays. Of an error
/// that damages nothing (`locked`) or loses nothing (`newer_format`) it says no more than that.
error saying_what_is_lost(const error& e, const remains& known);

/// The same of an error of the disk after a look had found all of the journal: nothing is lost but
/// what the caller accepted, and there is nothing to restore.
error saying_what_is_there(const error& e, const remains& known);

} // namespace holdfast::detail
