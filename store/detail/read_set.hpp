#pragma once

#include <holdfast/store/detail/execute_order.hpp>
#include <holdfast/store/detail/match.hpp>
#include <holdfast/store/query.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::detail {

/// What was read of one bucket at one version, so that it can be said which changes would have made
/// a difference.
///
/// A query is kept as what it means and not as the way it was answered: its filter, and, if it took
/// the first records of an order, where the last of them stands. So a change counts only if the
/// record before or after it matches and does not lie behind that place, whatever index was used.
/// Look-ups of keys that gave a record are kept as that version of it. Not thread-safe.
class read_set {
public:
  /// What of the matching records was used.
  enum class part : std::uint8_t {
    records, ///< their content
    number,  ///< only how many there are
  };
  /// So many look-ups are told apart; past it, all of the bucket counts as read.
  static constexpr std::size_t most_lookups = 65'536;

  bool empty() const noexcept {
    return found_.empty() && absent_.empty() && queries_.empty() && !everything_;
  }

  /// A look-up that gave this version; it must stay in memory.
  void add_found(const record_block& version);
  /// A look-up that gave nothing. A key that the bucket cannot have is no read.
  void add_absent(value_view key);
  /// All records that the query's filter matches.
  void add_query(const query& q, part used);
  /// The query's records up to and with `last`. Of a record that has its place in the order of rows
  /// only in the transaction that inserted it, `inserted` is true.
  void add_query(const reader& from, const query& q, const record_block& last, bool inserted);
  void add_everything() noexcept { everything_ = true; }

  const std::vector<const record_block*>& found() const noexcept { return found_; }
  const std::vector<value>& absent() const noexcept { return absent_; }
  /// Whether there is more than look-ups of keys.
  bool has_ranges() const noexcept { return everything_ || !queries_.empty(); }

  /// Whether a change of one record (null: there is none) changes what the queries gave; what it is
  /// that changed, for an error text. Both versions are of the bucket that was read, whose layout
  /// is given. O(queries).
  std::optional<std::string> touched_by(const record_layout& layout, const record_block* before,
                                        const record_block* after);

private:
  struct query_read {
    query what;
    part used = part::records;
    order_spec order;             ///< refers to `what`
    std::optional<position> last; ///< nothing behind it was looked at
    std::optional<matcher> which; ///< refers to `what`; bound when it is needed
  };
  static bool counts(const query_read& read, const record_block* block);
  void limit_lookups() noexcept;

  std::vector<const record_block*> found_;
  std::vector<value> absent_;
  std::vector<std::unique_ptr<query_read>> queries_;
  bool everything_ = false;
};

} // namespace holdfast::detail
