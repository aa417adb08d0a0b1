#include <holdfast/runtime/fault.hpp>

#include <map>
#include <mutex>

namespace holdfast {
namespace {

struct armed_fault {
  std::string name;
  std::uint64_t skip = 0;
  std::function<void()> action;
  std::uint64_t times = 1; // left
  bool struck = false;
};

/// Tests only: a process-wide table, so that a point deep in a library needs no context.
struct fault_table {
  std::mutex mutex;
  std::map<std::uint64_t, armed_fault> armed;
  std::map<std::string, std::uint64_t, std::less<>> passed;
  std::uint64_t last_id = 0;
};

fault_table& table() {
  static fault_table instance;
  return instance;
}

} // namespace

bool detail::fault_hit(std::string_view name) {
  std::function<void()> action;
  {
    auto& t = table();
    std::lock_guard lock{t.mutex};
    if (auto found = t.passed.find(name); found != t.passed.end())
      ++found->second;
    else
      t.passed.emplace(name, 1);
    for (auto& [id, f] : t.armed) {
      if (f.times == 0 || f.name != name)
        continue;
      if (f.skip > 0) {
        --f.skip;
        continue;
      }
      --f.times;
      f.struck = true;
      action = f.action;
      break;
    }
  }
  if (!action)
    return false;
  action();
  return true;
}

bool detail::bug_hit(std::string_view name) {
  try {
    return fault_hit(name);
  } catch (const injected_fault&) {
    return true;
  }
}

namespace testing {

fault::fault(std::string name, std::uint64_t skip, std::function<void()> action,
             std::uint64_t times) {
  auto& t = table();
  std::lock_guard lock{t.mutex};
  if (!action)
    action = [name] { throw injected_fault{"injected at " + name}; };
  id_ = ++t.last_id;
  t.armed.emplace(id_, armed_fault{std::move(name), skip, std::move(action), times});
  detail::faults_armed.store(true);
}

fault::~fault() {
  auto& t = table();
  std::lock_guard lock{t.mutex};
  t.armed.erase(id_);
  if (t.armed.empty())
    detail::faults_armed.store(false);
}

bool fault::struck() const {
  auto& t = table();
  std::lock_guard lock{t.mutex};
  return t.armed.at(id_).struck;
}

std::vector<std::pair<std::string, std::uint64_t>> fault_points_passed() {
  auto& t = table();
  std::lock_guard lock{t.mutex};
  return {t.passed.begin(), t.passed.end()};
}

} // namespace testing
} // namespace holdfast
