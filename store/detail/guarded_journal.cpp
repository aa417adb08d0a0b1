#include <holdfast/store/detail/guarded_journal.hpp>

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

result<journal_info> guarded_journal::open_again() const noexcept {
  try {
    return journal_.open_again();
  } catch (const std::bad_alloc&) {
    return fail(starved_);
  } catch (...) {
    return fail(threw_opening_);
  }
}

result<void> guarded_journal::close() const noexcept {
  try {
    return journal_.close();
  } catch (...) {
    return fail(threw_closing_);
  }
}

} // namespace holdfast::detail
