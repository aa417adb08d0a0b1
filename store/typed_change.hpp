#pragma once

#include <holdfast/store/change.hpp>
#include <holdfast/store/detail/typed_members.hpp>
#include <holdfast/store/mapping.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast {

/// One change to the bucket of a mapped struct, with structs for records; see `store::on`.
///
///     auto token = db.on<user>([](const typed_change<user>& c) {
///       if (auto now = c.after())
///         std::cout << now->name << " since commit " << c.seq << "\n";
///     });
///
/// A look at a `change`, valid as long as that is, in a handler until it returns. Records become
/// structs only when they are asked for.
template <mapped T>
class typed_change {
public:
  explicit typed_change(const change& plain) noexcept
      : kind{plain.kind}, why{plain.why}, count{plain.count}, seq{plain.seq},
        persistent{plain.persistent}, at{plain.at}, plain_{&plain} {}

  change_kind kind;
  cause why;
  std::uint64_t count; ///< records that it speaks of
  sequence seq;        ///< of the commit, in the line of its bucket
  bool persistent;     ///< which line: that of persistent buckets, or of those in memory
  timestamp at;        ///< the commit's time

  /// Of the record, in the type of the key's member; absent in changes of a whole bucket.
  std::optional<detail::key_content<T>> key() const noexcept {
    if constexpr (std::same_as<detail::key_content<T>, std::string_view>)
      return plain_->key().if_string();
    else
      return plain_->key().if_int();
  }
  /// The record as it was. Errors: `not_found` if there was none, as before an insert; `invalid`
  /// if it does not fit the struct.
  result<T> before() const { return as_struct(plain_->before); }
  /// The record as it is. Errors: `not_found` if it is gone; `invalid`.
  result<T> after() const { return as_struct(plain_->after); }

  /// The same by field names.
  const change& plain() const noexcept { return *plain_; }

private:
  result<T> as_struct(const record& from) const {
    if (from)
      return from_record<T>(from);
    return fail(errc::not_found, plain_->to_string() + ": no such record",
                {.bucket = plain_->bucket(), .key = plain_->key().to_string()});
  }

  const change* plain_;
};

} // namespace holdfast
