#pragma once

#include <holdfast/store/detail/bucket_core.hpp>
#include <holdfast/store/detail/shown.hpp>
#include <holdfast/store/durability.hpp>

#include <optional>
#include <string>

/// What operations are refused with, in whichever way they are made. The messages show a long key
/// or value shortened; the place and the detail have it whole.
namespace holdfast::detail {

/// Another record has the value of a unique field, or the key.
inline error taken(const bucket_core& b, const compiled_schema& schema, std::size_t slot,
                   value_view v) {
  auto& field = schema.layout().name(slot);
  auto text = v.to_string();
  return error{errc::duplicate,
               b.name() + "." + field + ": " + shown(v) + " is taken by another record",
               {b.name(), slot == b.key_slot() ? text : std::string{}, field},
               duplicate_value{field, text}};
}

inline error no_record(const bucket_core& b, value_view key) {
  return error{errc::not_found,
               b.name() + ": no record has the key " + shown(key),
               {b.name(), key.to_string(), {}}};
}

/// What is wrong with the durability that a write to the bucket asks for.
inline std::optional<error> check_level(const bucket_core& b, durability level) {
  if (level < durability::none || (level == durability::none && !b.durable())) [[likely]]
    return std::nullopt;
  const auto what = level == durability::none
                        ? std::string{"durability none: the bucket is persistent"}
                        : "durability " + std::to_string(static_cast<int>(level)) +
                              " is none of those that there are";
  return error{errc::invalid_argument, b.name() + ": " + what, {.bucket = b.name()}};
}

/// The same error, with the record's key where it does not say it.
inline error of_record(const error& e, const bucket_core& b, value_view key) {
  return e.at({.bucket = b.name(), .key = key.is_null() ? std::string{} : key.to_string()});
}

/// The same error of one record, met while another one, to which it refers, is erased.
inline error while_erasing(const error& e, const bucket_core& b, value_view key) {
  return error{e.code(), b.name() + ": erasing " + shown(key) + ": " + e.message(), e.where(),
               e.detail()};
}

/// The same error, of the `i`th of `n` records.
inline error numbered(const error& e, std::size_t i, std::size_t n) {
  return error{e.code(),
               "record " + std::to_string(i) + " of " + std::to_string(n) + ": " + e.message(),
               e.where(), e.detail()};
}

/// The same, with the record's key where the error does not say it.
inline error numbered(const error& e, std::size_t i, std::size_t n, const bucket_core& b,
                      value_view key) {
  return of_record(numbered(e, i, n), b, key);
}

} // namespace holdfast::detail
