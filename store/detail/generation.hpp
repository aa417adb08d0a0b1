#pragma once

#include <holdfast/store/detail/bucket_data.hpp>
#include <holdfast/store/schema.hpp>

#include <atomic>
#include <cstdint>
#include <memory>

namespace holdfast::detail {

/// A bucket's data under one definition of its fields and indexes. A bucket begins with one; a
/// change of its definition makes the next, with the same records in new blocks and new indexes,
/// and seals it as a commit does: readers at or after its birth use it, those before stay with the
/// one before, which goes when no reader can be left there.
struct generation {
  generation(commit_line& line, std::shared_ptr<const compiled_schema> s, bucket_layout layout)
      : schema{std::move(s)}, data{line, std::move(layout)} {}

  const std::shared_ptr<const compiled_schema> schema; ///< whose layout its blocks have
  bucket_data data;
  std::uint64_t birth = 0;                  ///< seq of the commit that made it; 0: from the start
  std::atomic<generation*> before{nullptr}; ///< owned; null if there is none any more
};

} // namespace holdfast::detail
