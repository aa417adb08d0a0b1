#pragma once

#include "control_file.hpp"
#include "input.hpp"

#include <holdfast/store/bucket.hpp>
#include <holdfast/store/store.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace package_index {

/// What a load did.
struct load_report {
  std::uint64_t packages = 0;
  std::vector<broken_line> broken;
  std::vector<std::string> refused; ///< packages that the store did not take, and why
};

/// A number of packages under a name, e.g. of a section.
struct tally {
  std::string name;
  std::uint64_t packages = 0;
};

/// The packages of a Debian archive in a durable, supervised store.
class catalog {
public:
  /// Opens the store in `directory`, and restores what is there.
  static holdfast::result<catalog> open(const std::string& directory);

  /// Called now and then by `load`: bytes of the text that are parsed, all bytes, packages that are
  /// acknowledged: on disk, whatever happens next.
  using progress = std::function<void(std::size_t, std::size_t, std::uint64_t)>;

  /// Puts every package of the text into the store. Keeps `window` writes unanswered, so that one
  /// fsync serves many. Packages that are there already and did not change cost no write.
  holdfast::result<load_report> load(const input& from, const progress& show);

  /// Whether `source` was loaded to its end.
  bool is_loaded(const std::string& source) const;
  /// Forgets all packages and loads.
  holdfast::result<void> clear();

  /// Packages per value of a field, most first.
  holdfast::result<std::vector<tally>> tally_by(std::string_view field) const;

  const holdfast::bucket<>& packages() const noexcept { return packages_; }
  holdfast::store& db() noexcept { return db_; }

private:
  static constexpr std::ptrdiff_t window = 64;

  catalog(holdfast::store db, holdfast::bucket<> packages, holdfast::bucket<> loads)
      : db_{std::move(db)}, packages_{std::move(packages)}, loads_{std::move(loads)} {}

  holdfast::store db_;
  holdfast::bucket<> packages_;
  holdfast::bucket<> loads_;
};

} // namespace package_index
