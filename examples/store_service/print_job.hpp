#pragma once

#include <holdfast/store/store.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace store_service {

enum class job_state : std::uint8_t { waiting, printing, done };

/// One job of the print shop: a plain struct, kept as a record.
struct print_job {
  std::int64_t id = 0; ///< 0: the store numbers it
  std::string customer;
  int pages = 0;
  job_state state = job_state::waiting;
  int attempts = 0;
  std::chrono::sys_time<std::chrono::milliseconds> ordered;
  std::optional<std::chrono::milliseconds> took;
};

} // namespace store_service

template <>
inline constexpr auto
    holdfast::mapping<store_service::print_job> = holdfast::map_to<store_service::print_job>(
        "jobs", key<&store_service::print_job::id>(autoincrement),
        field<&store_service::print_job::customer>(length(1, 100)),
        field<&store_service::print_job::pages>(minimum(1), maximum(500)),
        field<&store_service::print_job::state>(indexed),
        field<&store_service::print_job::attempts>(), field<&store_service::print_job::ordered>(),
        field<&store_service::print_job::took>());
