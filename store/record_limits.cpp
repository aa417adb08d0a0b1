#include <holdfast/store/record_limits.hpp>

#include <array>
#include <string>

namespace holdfast {

result<void> check(const record_limits& asked, std::string_view where) {
  constexpr record_limits most;
  struct limit {
    std::string_view name;
    std::size_t asked, most;
  };
  const std::array all{limit{"value_bytes", asked.value_bytes, most.value_bytes},
                       limit{"record_bytes", asked.record_bytes, most.record_bytes},
                       limit{"key_bytes", asked.key_bytes, most.key_bytes},
                       limit{"fields", asked.fields, most.fields},
                       limit{"depth", asked.depth, most.depth}};
  for (auto& one : all)
    if (one.asked == 0 || one.asked > one.most)
      return fail(errc::invalid_argument, std::string{where} + ": limits." + std::string{one.name} +
                                              " " + std::to_string(one.asked) +
                                              " is not within 1 and " + std::to_string(one.most));
  return {};
}

} // namespace holdfast
