#pragma once

#include <holdfast/store/detail/typed_members.hpp>
#include <holdfast/store/mapping.hpp>
#include <holdfast/store/record_view.hpp>

#include <cstdint>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace holdfast {

/// Thrown by a look at a member: the bucket was defined otherwise than the struct is mapped, and
/// what the record has does not fit. A typed `visit` catches it, and fails with its reason.
class bad_member final : public std::bad_cast {
public:
  explicit bad_member(error why) noexcept : why_{std::move(why)} {}
  /// `invalid`, with the field and the value.
  const error& why() const noexcept { return why_; }
  const char* what() const noexcept override { return why_.message().c_str(); }

private:
  error why_;
};

/// A look at a record as a struct: each member is read when it is asked for, and no other.
///
///     users.visit("7", [&](const typed_view<user>& u) { sum += u.get<&user::age>(); });
///
/// One pointer, free of reference counts; valid as long as the record that it looks at, in a visit
/// until the visitor returns.
template <mapped T>
class typed_view {
public:
  explicit typed_view(const record_view& plain) noexcept : plain_{plain} {}

  /// The content of a member, or of a member of a struct in it: `get<&user::home, &town::city>()`,
  /// which is optional if a struct on the way is. Texts come as views of what is stored, all else
  /// is copied: as cheap as the plain look for texts, flags, numbers, times and enums. Throws
  /// `bad_member`. A member that the mapping leaves out does not compile.
  template <auto M, auto... Further>
  requires detail::maps<T, M> detail::viewed<typename detail::path_to<M, Further...>::type> get()
  const {
    using path = detail::path_to<M, Further...>;
    detail::viewed<typename path::type> out{};
    detail::misfits bad{plain_.bucket()};
    detail::read_viewed(detail::descend_members<Further...>(slot_of<M>()), out, bad,
                        detail::place{.name = path::name});
    if (!bad.empty()) [[unlikely]]
      throw bad_member{bad.to_error(plain_.key().to_string())};
    return out;
  }

  /// The value of the key's member, whatever it is.
  value_view key() const noexcept { return plain_.key(); }
  std::uint64_t version() const noexcept { return plain_.version(); }
  timestamp created_at() const noexcept { return plain_.created_at(); }
  timestamp updated_at() const noexcept { return plain_.updated_at(); }

  /// The whole struct, which lasts. `invalid`, with all issues, if the record does not fit it.
  result<T> keep() const { return detail::struct_of<T>(plain_); }
  /// The same record by field names.
  const record_view& plain() const noexcept { return plain_; }

private:
  template <auto M>
  value_view slot_of() const noexcept {
    return plain_.field(detail::member_name<M>(), detail::position_of<M>(mapping<T>.fields));
  }

  record_view plain_;
};

namespace detail {

/// What may look at the records of `T`'s bucket.
template <class F, class T>
concept looks_at = std::is_invocable_v < F&,
        const typed_view<T>
& > || std::is_invocable_v<F&, const record_view&>;

/// Calls `visit` with a visitor of plain records that calls `f`, and catches what a look at a
/// member throws.
template <mapped T, class Answer, class F, class Visit>
Answer visit_typed(F& f, Visit&& visit) {
  if constexpr (std::is_invocable_v<F&, const typed_view<T>&>) {
    auto look = [&f](const record_view& r) { return f(typed_view<T>{r}); };
    try {
      return visit(look);
    } catch (const bad_member& e) {
      return fail(e.why());
    }
  } else {
    return visit(f);
  }
}

} // namespace detail
} // namespace holdfast
