#pragma once

#include <holdfast/store/journal.hpp>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::testing {

using entries = std::map<std::string, std::string>;

inline journal_put put(std::string_view key, std::string_view value) {
  return {journal_put::kind::put, key, value};
}
inline journal_put erase(std::string_view key) { return {journal_put::kind::erase, key, {}}; }
inline journal_put erase_range(std::string_view first, std::string_view last) {
  return {journal_put::kind::erase_range, first, last};
}

/// Appends the batch of commits `first..last` that does `puts`.
inline result<void> append(journal& j, sequence first, sequence last,
                           const std::vector<journal_put>& puts, bool synced = true) {
  return j.append({first, last, puts}, synced);
}

/// Everything in `[first, last)`.
inline result<entries> contents(const journal& j, std::string_view first = {},
                                std::string_view last = {}) {
  entries all;
  auto r = j.scan(first, last, [&](std::string_view key, std::string_view value) -> result<void> {
    all.emplace(key, value);
    return {};
  });
  if (!r)
    return fail(r.error());
  return all;
}

/// A workload that is a pure function of the sequence, so that the contents after any commit can be
/// computed: commit n writes key n % 23 with a value of its own, now and then erases one or a
/// range.
struct workload {
  static std::string key(sequence n) { return "key " + std::to_string(n % 23); }
  static std::string value(sequence n) {
    return "value " + std::to_string(n) + std::string(n * 37 % 90, static_cast<char>('a' + n % 26));
  }

  static result<void> commit(journal& j, sequence n, bool synced) {
    auto k = key(n), v = value(n), other = key(n * 7), end = other + "~";
    std::vector<journal_put> puts{put(k, v), put("last", v)};
    if (n % 11 == 0)
      puts.push_back(erase_range(other, end));
    else if (n % 5 == 0)
      puts.push_back(erase(other));
    return append(j, n, n, puts, synced);
  }

  /// What is there after commits 1 to `last`.
  static entries after(sequence last) {
    entries all;
    for (sequence n = 1; n <= last; ++n) {
      all[key(n)] = all["last"] = value(n);
      auto other = key(n * 7);
      if (n % 11 == 0)
        all.erase(all.lower_bound(other), all.lower_bound(other + "~"));
      else if (n % 5 == 0)
        all.erase(other);
    }
    return all;
  }
};

} // namespace holdfast::testing
