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
/// the records at one end of an order, where the innermost of them stands. So a change counts only
/// if the record before or after it matches and does not lie beyond that place, whatever index was
/// used; of a record that matches before and after, only if a field that was used differs. Look-ups
/// of keys that gave a record are kept as that version of it. Not thread-safe.
class read_set {
public:
  /// What of the matching records was used: which there are, and these fields of them; absent: all
  /// of their content.
  using used_fields = std::optional<std::vector<std::string>>;
  /// So many look-ups are told apart; past it, all of the bucket counts as read. Not an option:
  /// past it nothing is refused, and a transaction conflicts where it need not.
  static constexpr std::size_t most_lookups = 65'536;
  /// The same of queries that differ.
  static constexpr std::size_t most_queries = 4'096;
  /// From where a query's records were looked at.
  enum class walk_from : std::uint8_t { front, back };

  /// One query as it was read. Refers to itself.
  struct query_read : std::enable_shared_from_this<query_read> {
    query_read() = default;
    query_read(const query_read&) = delete;
    query_read& operator=(const query_read&) = delete;

    query what;
    used_fields used;
    order_spec order;             ///< refers to `what`
    std::optional<position> last; ///< nothing beyond it was looked at
    walk_from from = walk_from::front;
    std::optional<matcher> which; ///< refers to `what`; bound when it is needed
    /// Whether a deadline that is moved makes a difference: to who keeps a result up.
    bool follows_deadlines = false;

    /// The filter in the terms of the bucket's layout, and with it `used`; null for one that makes
    /// no sense there, by which nothing was read.
    const matcher* bound(const record_layout& layout);
    /// Whether a change of one record changes what the query gave.
    bool touched_by(const record_layout& layout, const record_block* before,
                    const record_block* after);
    /// What stands beyond a record does not count (any more). What it throws leaves it as it was.
    void end_at(const record_block& block, std::uint64_t row);

    bool reaches(const record_block& block) const;

  private:
    bool counts(const record_block* block) const;
    void bind_mask(const record_layout& layout);
    bool differ(const record_block& before, const record_block& after) const noexcept;
    bool differ_in_end(const record_block& before, const record_block& after) const noexcept;

    std::vector<bound_field> mask_; ///< refers to `used`
  };

  bool empty() const noexcept {
    return found_.empty() && absent_.empty() && queries_.empty() && !everything_;
  }

  /// A look-up that gave this version; it must stay in memory.
  void add_found(const record_block& version);
  /// A look-up that gave nothing. A key that the bucket cannot have is no read.
  void add_absent(value_view key);
  /// All records that the query's filter matches.
  void add_query(const query& q, used_fields used);
  /// The query's records up to and with `last`, or all of its filter if that is null. Of a record
  /// that has its place in the order of rows only in the transaction that inserted it, `inserted`
  /// is true. O(1) more memory where the read before was the same and ended, too.
  void add_query(const reader& from, const query& q, const record_block* last, bool inserted,
                 walk_from end = walk_from::front);
  void add_everything() noexcept { everything_ = true; }

  /// Leaves the queries, which may outlive the snapshot.
  void forget_lookups() noexcept {
    found_ = {};
    absent_ = {};
  }

  const std::vector<const record_block*>& found() const noexcept { return found_; }
  const std::vector<value>& absent() const noexcept { return absent_; }
  /// Whether there is more than look-ups of keys.
  bool has_ranges() const noexcept { return everything_ || !queries_.empty(); }
  bool has_everything() const noexcept { return everything_; }
  const std::vector<std::shared_ptr<query_read>>& queries() const noexcept { return queries_; }

  /// Whether a change of one record (null: there is none) changes what the queries gave; what it is
  /// that changed, for an error text. Both versions are of the bucket that was read, whose layout
  /// is given. O(queries).
  std::optional<std::string> touched_by(const record_layout& layout, const record_block* before,
                                        const record_block* after);

private:
  void limit_lookups() noexcept;
  void limit_queries() noexcept;
  bool has_lately(const query& what, const used_fields& used) const;

  std::vector<const record_block*> found_;
  std::vector<value> absent_;
  std::vector<std::shared_ptr<query_read>> queries_;
  bool everything_ = false;
};

} // namespace holdfast::detail
