#pragma once

#include <holdfast/store/bucket_update.hpp>
#include <holdfast/store/detail/typed_members.hpp>
#include <holdfast/store/typed_view.hpp>

#include <chrono>
#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace holdfast {

namespace detail {

/// A function of the old record that makes what may fill in a member.
template <class F, class T, class Member>
concept makes_fill = std::is_invocable_v < const F&,
        const typed_view<T>
& > &&put_into<Member, std::remove_cvref_t<std::invoke_result_t<const F&, const typed_view<T>&>>>;

} // namespace detail

/// A change of the bucket of a mapped struct to what its mapping says; see `store::update_bucket`:
///
///     db.update_bucket(typed_bucket_update<user>()
///                          .add_field<&user::visits>(0)
///                          .add_field<&user::initial>([](const typed_view<user>& old) {
///                            return old.get<&user::name>().substr(0, 1);
///                          })
///                          .add_index<&user::age>()
///                          .expire_after(24h));
///
/// Fields get the types and rules that the mapping gives their members, and the indexes of those
/// that are `indexed` or `inverted`. A mapping whose new members are its last ones, in the order in
/// which they are added, says afterwards what the bucket is, so that the next start can `define`
/// it.
template <mapped T>
class typed_bucket_update {
public:
  /// Adds the field of a member. Existing records get the member's default, else nothing; see
  /// `bucket_update::add_field`.
  template <auto M>
  requires detail::maps<T, M> typed_bucket_update& add_field() { return add<M>({}); }
  /// The same, where existing records get `fill`: a value of the member's type, or what the
  /// function `fill(const typed_view<T>& old)` makes of the record, which is not to read the new
  /// member. A value of an unrelated type does not compile.
  template <auto M, class U>
  requires(detail::maps<T, M> &&
           (detail::put_into<typename detail::member_of<decltype(M)>::type, U> ||
            detail::makes_fill<U, T, typename detail::member_of<decltype(M)>::type>))
      typed_bucket_update& add_field(U fill) {
    using content = typename detail::member_of<decltype(M)>::type;
    if constexpr (detail::put_into<content, U>)
      return add<M>([made = detail::put_value<content>(fill)](const record&) { return made; });
    else
      return add<M>([fill = std::move(fill)](const record& old) {
        return detail::put_value<content>(fill(typed_view<T>{record_view{*old.block()}}));
      });
  }
  /// An ordered index over a member, or over several: by the first, then the second, and so on.
  template <auto... M>
  requires(sizeof...(M) > 0 && (detail::maps<T, M> && ...)) typed_bucket_update& add_index() {
    plain_.add_index(std::vector<std::string>{std::string{detail::member_name<M>()}...});
    return *this;
  }
  /// An inverted index over a text or vector; see `schema::inverted_index`.
  template <auto M>
  requires(detail::maps<T, M>&& detail::has_parts<typename detail::member_of<decltype(M)>::type>)
      typed_bucket_update& add_inverted_index() {
    plain_.add_inverted_index(std::string{detail::member_name<M>()});
    return *this;
  }
  /// See `bucket_update`.
  typed_bucket_update& expire_after(std::chrono::milliseconds how_long) {
    plain_.expire_after(how_long);
    return *this;
  }
  typed_bucket_update& never_expire() {
    plain_.never_expire();
    return *this;
  }

  /// The same by field names.
  const bucket_update& plain() const noexcept { return plain_; }

private:
  template <auto M>
  typed_bucket_update& add(field_backfill fill) {
    const auto& mapped_as = std::get<detail::position_of<M>(mapping<T>.fields)>(mapping<T>.fields);
    const std::string name{mapped_as.name};
    plain_.add_field(name, mapped_as.spec(), std::move(fill));
    if constexpr (std::remove_cvref_t<decltype(mapped_as)>::indexed)
      plain_.add_index(name);
    if constexpr (std::remove_cvref_t<decltype(mapped_as)>::inverted)
      plain_.add_inverted_index(name);
    return *this;
  }

  bucket_update plain_;
};

} // namespace holdfast
