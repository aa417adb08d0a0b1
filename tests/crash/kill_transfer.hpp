#pragma once

#include <holdfast/store/bucket.hpp>
#include <holdfast/store/transaction.hpp>
#include <holdfast/store/value.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::testing {

/// Accounts are shared by all lanes: the first half is in the bucket `giro`, the other in
/// `savings`.
constexpr unsigned accounts = 8;
constexpr std::int64_t first_amount = 1000;

std::string account_key(unsigned account);    ///< `giro-0`, ..., `savings-3`
std::string ledger_key(unsigned lane);        ///< `ledger-0`, ...
schema accounts_schema(std::string_view key); ///< of `giro` or `savings`
schema ledger_schema();                       ///< one record a lane: the last transfers
schema witness_schema();                      ///< in memory: makes commits over both lines

/// One transaction over three buckets: takes an amount from an account, gives it to another one,
/// and adds itself to the list of its lane.
struct transfer {
  std::int64_t amount = 0;
  unsigned from = 0;
  unsigned to = 0;
};

/// What the transfers of one lane come to, whatever others do meanwhile.
class transfer_model {
public:
  void apply(const transfer& t, std::int64_t n);

  /// The step of the last one; 0: none yet.
  std::int64_t last() const noexcept { return last_; }
  /// The transfers that the lane's list holds.
  const holdfast::array& list() const noexcept { return list_; }
  /// How much an account has got by them, and how often they changed it.
  std::int64_t given(unsigned account) const noexcept { return given_[account]; }
  std::uint64_t changes(unsigned account) const noexcept { return changes_[account]; }
  /// Of the lane's record.
  std::uint64_t version() const noexcept { return version_; }

private:
  std::int64_t last_ = 0;
  std::uint64_t version_ = 0;
  holdfast::array list_;
  std::array<std::int64_t, accounts> given_{};
  std::array<std::uint64_t, accounts> changes_{};
};

/// The handles that transfers need.
struct transfer_buckets {
  bucket<> giro, savings, ledger, witness;
};

/// Makes the accounts.
result<void> open_accounts(transaction& tx, const transfer_buckets& in);
/// Makes step n of a lane. Each third lane writes to memory, too.
result<void> make_transfer(transaction& tx, const transfer_buckets& in, const transfer& what,
                           unsigned lane, std::int64_t n);

} // namespace holdfast::testing
