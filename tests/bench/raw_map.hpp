#pragma once

#include "workload.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace holdfast::bench {

/// What plain C++ does for workload W, and the limit its in-memory rows are held against: the
/// struct in an `unordered_map` by key, with two index maps that a service would keep beside it. No
/// validation, no snapshot, no thread-safety, no supervision. All strings are copied in, as the
/// records of the store copy them in; nothing is reserved on either side.
class raw_map {
public:
  /// Refuses a second record with the same email, as the store's unique index does.
  bool insert(const person& p) {
    if (!by_email_.emplace(p.email, p.id).second)
      return false;
    records_[p.id] = p;
    by_role_[p.role].insert(p.id);
    return true;
  }

  /// Null if absent.
  const person* find(const std::string& id) const {
    auto at = records_.find(id);
    return at == records_.end() ? nullptr : &at->second;
  }

  /// Calls `visit` with every record of the role: through the index, then one find each.
  template <class Visit>
  void where_role(const std::string& role, Visit&& visit) const {
    auto at = by_role_.find(role);
    if (at == by_role_.end())
      return;
    for (auto& id : at->second)
      visit(records_.find(id)->second);
  }

  std::size_t size() const noexcept { return records_.size(); }

private:
  std::unordered_map<std::string, person> records_;
  std::unordered_map<std::string, std::string> by_email_;
  std::unordered_map<std::string, std::unordered_set<std::string>> by_role_;
};

/// The peer of an update: documents that readers may hold on to, so a writer replaces them by a
/// changed copy. That is what gives plain C++ the snapshot-able documents the store offers.
class raw_documents {
public:
  void insert(const person& p) { documents_[p.id] = std::make_shared<const person>(p); }

  void set_balance(const std::string& id, double balance) {
    auto& at = documents_.find(id)->second;
    auto copy = std::make_shared<person>(*at);
    copy->balance = balance;
    at = std::move(copy);
  }

  double balance(const std::string& id) const { return documents_.find(id)->second->balance; }

private:
  std::unordered_map<std::string, std::shared_ptr<const person>> documents_;
};

} // namespace holdfast::bench
