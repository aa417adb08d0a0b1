#pragma once

#include <holdfast/store/journal.hpp>

#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>

namespace holdfast::detail {

/// What `f` gives, which calls a user's journal; `io` for what it throws, but for `std::bad_alloc`,
/// which goes on.
template <class F>
std::invoke_result_t<F&> calling_journal(const std::string& store, std::string_view what, F&& f) {
  const auto threw = [&](std::string_view text) {
    return fail(errc::io, store + ": the journal threw an exception while it was " +
                              std::string{what} + ": " + std::string{text});
  };
  try {
    return f();
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& e) {
    return threw(e.what());
  } catch (...) {
    return threw("no std::exception");
  }
}

/// A journal whose exceptions are errors. What it was given may be on disk whatever happens, so an
/// exception is an error like any other (R5), and not a fault after which the same batch would be
/// handed over again. The errors are made beforehand, for there may be no memory for them then.
/// The journal belongs to somebody else.
class guarded_journal {
public:
  explicit guarded_journal(journal& of) noexcept : journal_{of} {}

  /// As `journal::append`; `io` for what it throws.
  result<void> append(const journal_batch& batch, bool synced) const noexcept;
  /// As `journal::sync`; `io` for what it throws.
  result<void> sync() const noexcept;
  /// As `journal::open_again`; `io` for what it throws.
  result<journal_info> open_again() const noexcept;
  /// As `journal::close`; `io` for what it throws.
  result<void> close() const noexcept;
  std::string name() const { return journal_.name(); }

private:
  journal& journal_;
  const error threw_{errc::io, "store: the journal threw an exception while it wrote"};
  const error starved_{errc::io, "store: the journal ran out of memory while it wrote"};
  const error threw_opening_{errc::io, "store: the journal threw an exception while it was opened"};
  const error threw_closing_{errc::io, "store: the journal threw an exception while it was closed"};
};

} // namespace holdfast::detail
