#include <holdfast/runtime/detail/child_work.hpp>

#include <utility>

namespace holdfast::detail {

void child_work_queue::push(child_work w) {
  if (backlog_.empty())
    wait_for_child(std::move(w));
  else
    backlog_.push_back(std::move(w));
}

std::vector<child_work> child_work_queue::take_all() {
  std::vector<child_work> out;
  for (auto& w : backlog_)
    out.push_back(std::move(w));
  for (auto& [id, queue] : waiting_)
    for (auto& w : queue)
      out.push_back(std::move(w));
  backlog_.clear();
  waiting_.clear();
  ready_.clear();
  return out;
}

void child_work_queue::wait_for_child(child_work w) {
  ready_.push_back(w.id);
  waiting_[w.id].push_back(std::move(w));
}

child_work child_work_queue::pop(const std::string& id) {
  auto queue = waiting_.find(id);
  auto w = std::move(queue->second.front());
  queue->second.pop_front();
  if (queue->second.empty())
    waiting_.erase(queue);
  return w;
}

} // namespace holdfast::detail
