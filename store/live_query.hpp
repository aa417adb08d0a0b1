#pragma once

#include <holdfast/runtime/pending.hpp>
#include <holdfast/store/aggregate.hpp>
#include <holdfast/store/parameter.hpp>
#include <holdfast/store/query_value.hpp>
#include <holdfast/store/query_why.hpp>
#include <holdfast/store/read_filters.hpp>
#include <holdfast/store/transaction.hpp>
#include <holdfast/store/typed_list.hpp>

#include <concepts>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Queries that a store knows by name: run when asked for, or kept up to date for subscribers.
///
///     db.define_query("adults", [&](query_context& in, const object& with) {
///       return in.in(users).where("age"_f >= *with.find("least")).count();
///     });
///     auto token = db.subscribe("adults", {{"least", 18}}, [](const query_update& now) {
///       std::cout << now.as<std::uint64_t>() << " at commit " << now.memory_seq << "\n";
///     });
///
/// What subscribers are promised:
///   - each value is what the query gives at one snapshot of the store, whose seqs it carries;
///   - seqs increase from one value to the next, and the last value of all is never left out; those
///     in between may be, when commits come faster than they are evaluated or handled;
///   - subscribers that share an evaluation are all given a value before any is given a later one;
///     a quick one may have handled the later one while a slow one still handles the earlier;
///   - a value that equals the one before it is not told;
///   - a run that fails is told as its error; the subscription goes on.
/// A definition of a bucket in memory is no commit. So a query that looks for a bucket by its name
/// may be told again, with the same seqs, when it comes or goes. A bucket that is dropped is gone
/// from all snapshots at once: a run that is under way is begun anew, and gives what there is
/// without it, with the seqs of before the drop. That a query was removed may come with the seqs of
/// its last value, too. Nor is a record's deadline a commit: subscribers are told by the next one
/// that changes what the query reads, which the purge of the record does at the latest; who comes
/// in between is not shown the record. One that cannot be purged, because another refers to it and
/// restricts, is in their value until another change leads to the query. Subscriptions with equal
/// queries, parameters and read filters share one evaluation. A commit costs an evaluation only if
/// it changes something that the query read, and none if the new value follows from the change
/// itself (see `query_why`).
namespace holdfast {

namespace detail {
class transaction_state;
} // namespace detail

/// The store as a query's function sees it: all buckets at one moment, to be read only.
///
/// What is read through its handles is what the query depends on; what is read past it is not seen
/// to change. Used while the function runs, on its thread. The function must give the same for the
/// same state of the store, must not block, and may be run at any time on any thread.
class query_context {
public:
  explicit query_context(detail::transaction_state& state) noexcept : state_{state}, in_{state} {}
  query_context(const query_context&) = delete;
  query_context& operator=(const query_context&) = delete;

  /// The handle of a bucket. Errors: `not_found`, `dropped`, `stopped`.
  result<holdfast::bucket<>> bucket(std::string_view name) { return in_.bucket(name); }
  template <mapped T>
  result<holdfast::bucket<T>> bucket() {
    return in_.bucket<T>();
  }
  /// The same bucket in this query. It must be one of the same store.
  template <class T>
  holdfast::bucket<T> in(const holdfast::bucket<T>& b) {
    return in_.in(b);
  }
  timestamp now() const noexcept { return in_.now(); }

  /// For the store's own parts.
  detail::transaction_state& state() noexcept { return state_; }

private:
  detail::transaction_state& state_;
  transaction in_;
};

/// A query as data: what to read from a bucket, and what to make of it.
struct declared_query {
  std::string bucket;
  /// Operands of its filter may be parameters, or lists and objects with parameters in them.
  query what = {};
  /// Instead of the records: numbers over them. One gives a `value`, more give `groups`, and so
  /// does a count of the values of a field.
  std::vector<aggregate> aggregates = {};
  /// The aggregates of each group of equal values in these fields, as `groups`.
  std::vector<field_name> group_by = {};
  /// Parameters that offset and limit are taken from, named without blanks around them; empty:
  /// those of `what`.
  std::string offset_parameter = {};
  std::string limit_parameter = {};
};

/// What a subscriber is told.
struct query_update {
  result<query_value> outcome; ///< or why the run failed
  sequence memory_seq = 0;     ///< the snapshot that it is of, in both lines
  sequence durable_seq = 0;
  bool initial = false;                ///< how it stood when the subscription began
  const query_value* before = nullptr; ///< what this subscriber was given last; null: nothing yet

  /// The value; throws `std::bad_cast` if there is none, or one of another type.
  template <class T>
  const T& as() const {
    if (!outcome)
      throw std::bad_cast{};
    return outcome->as<T>();
  }
  /// For lists: what was added, removed, changed and moved since `before`; of a first value, all is
  /// added. O(n log n), each time.
  list_changes changes() const;

  /// The list as structs; see `query_value::list`. The error is also that of the run.
  template <mapped T>
  result<std::vector<T>> list() const {
    if (!outcome)
      return fail(outcome.error());
    return outcome->list<T>();
  }
  /// What `changes()` says, as structs:
  ///
  ///     if (auto news = now.changes<user>())
  ///       for (auto& each : news->added)
  ///
  /// Errors and complexity as of both.
  template <mapped T>
  result<typed_list_changes<T>> changes() const {
    if (!outcome)
      return fail(outcome.error());
    return detail::typed_changes<T>(before, *outcome, changes());
  }
};

struct live_options {
  /// Does not tell how it stands when the subscription begins, only what comes after it.
  bool skip_initial = false;
  read_filters filters = {};
};

/// One query that a store knows.
struct query_info {
  std::string name;
  std::optional<declared_query> declared; ///< absent: a function
  std::size_t groups = 0;                 ///< different parameters that are subscribed to
  std::size_t subscriptions = 0;
  std::uint64_t runs = 0;      ///< for subscribers and by `run`
  std::uint64_t delivered = 0; ///< values and errors told, per subscriber
};

namespace detail {

/// A query's function whose types are forgotten.
struct query_function {
  /// What is wrong with parameters, before anything is run.
  std::function<std::optional<error>(std::string_view query, const object& parameters)> check;
  std::function<result<query_value>(query_context& in, const object& parameters)> run;
  std::optional<declared_query> declared = {};
};

/// Error: `invalid_argument`, for names of parameters that are none.
result<query_function> function_of(std::string_view query, declared_query what);

template <class T>
result<query_value> to_query_value(result<T> from) {
  if (!from)
    return fail(std::move(from.error()));
  return query_value::of<T>(std::move(*from));
}
template <class T>
result<query_value> to_query_value(pending<T> from) {
  return to_query_value(std::move(from).get());
}
template <class T>
result<query_value> to_query_value(T from) {
  return query_value::of<T>(std::move(from));
}
inline result<query_value> to_query_value(query_value from) { return from; }

/// Parameters as a struct with a `map_object`. `invalid` with all that does not fit.
template <mapped_object P>
result<P> parameters_as(std::string_view query, const object& given) {
  P out{};
  misfits bad{query};
  std::size_t known = 0;
  for_each_field(mapping<P>.members, [&](const auto& each, std::size_t) {
    using field = std::remove_cvref_t<decltype(each)>;
    auto* found = given.find(field::name);
    known += found ? 1 : 0;
    read_member(found ? value_view{*found} : value_view{}, out.*field::member, bad,
                place{.name = field::name});
  });
  if (!bad.empty())
    return fail(bad.to_error({}));
  if (known < given.size())
    return fail(errc::invalid, std::string{query} + ": a parameter is given that it does not have");
  return out;
}

template <class P, class F>
query_function function_of(F f) {
  query_function out;
  if constexpr (std::same_as<P, object>) {
    out.run = [f = std::move(f)](query_context& in, const object& with) {
      if constexpr (std::invocable<const F&, query_context&, const object&>)
        return to_query_value(f(in, with));
      else
        return to_query_value(f(in));
    };
    if constexpr (!std::invocable<const F&, query_context&, const object&>)
      out.check = [](std::string_view query, const object& with) -> std::optional<error> {
        if (with.empty())
          return std::nullopt;
        return error{errc::invalid_argument, std::string{query} + ": it has no parameters"};
      };
  } else {
    out.check = [](std::string_view query, const object& with) -> std::optional<error> {
      auto read = parameters_as<P>(query, with);
      return read ? std::nullopt : std::optional{read.error()};
    };
    out.run = [f = std::move(f)](query_context& in, const object& with) -> result<query_value> {
      auto read = parameters_as<P>("query", with);
      if (!read)
        return fail(std::move(read.error()));
      return to_query_value(f(in, std::as_const(*read)));
    };
  }
  return out;
}

inline object to_parameters(object given) { return given; }
template <mapped_object P>
object to_parameters(const P& given) {
  return stored_object(given).as_object();
}

/// `std::function<void(const query_update&)>`, if P can be parameters: so that an overload for them
/// is out before a compiler looks for a conversion of the other arguments.
template <class P>
struct query_handler_with {};
template <class P>
requires(std::same_as<P, object> || mapped_object<P>) struct query_handler_with<P> {
  using type = std::function<void(const query_update&)>;
};

template <class F, class P>
concept query_function_of =
    std::invocable<const F&, query_context&> || std::invocable<const F&, query_context&, const P&>;

} // namespace detail
} // namespace holdfast
