#include <holdfast/store/detail/guarded_journal.hpp>

#include <exception>
#include <new>

namespace holdfast::detail {

result<void> guarded_journal::append(const journal_batch& batch, bool synced) const noexcept {
  try {
    return journal_.append(batch, synced);
  } catch (const std::bad_alloc&) {
    return fail(starved_);
  } catch (...) { // a user's journal may throw anything
    return fail(threw_);
  }
}

result<void> guarded_journal::sync() const noexcept {
  try {
    return journal_.sync();
  } catch (const std::bad_alloc&) {
    return fail(starved_);
  } catch (...) { // a user's journal may throw anything
    return fail(threw_);
  }
}

result<journal_info> guarded_journal::open_again() const {
  try {
    return journal_.open_again();
  } catch (const std::bad_alloc&) {
    return fail(starved_);
  }
}

} // namespace holdfast::detail
