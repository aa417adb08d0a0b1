#include <holdfast/runtime/supervisor_tree.hpp>

namespace holdfast {
namespace {

std::string plural(std::uint64_t n, const char* what) {
  return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

void draw(std::string& out, const supervisor_tree& node, const std::string& indent) {
  auto& info = node.info;
  out += info.id;
  if (info.type == child_type::supervisor)
    out += " (" + std::string{to_string(node.strategy)} + ")";
  out += " " + std::string{to_string(info.state)};
  if (info.incarnation > 1)
    out += ", incarnation " + std::to_string(info.incarnation);
  if (info.restarts > 0)
    out += ", " + plural(info.restarts, "restart");
  if (info.retry_after.count() > 0)
    out += ", next try in " + std::to_string(info.retry_after.count()) + " ms";
  if (node.mailbox.value_or(0) > 0)
    out += ", " + plural(*node.mailbox, "job") + " waiting";
  if (!info.failures.empty())
    out += ", last failure: " + to_string(info.failures.back().cause);
  out += '\n';
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    auto last = i + 1 == node.children.size();
    out += indent + (last ? "`-- " : "|-- ");
    draw(out, node.children[i], indent + (last ? "    " : "|   "));
  }
}

} // namespace

std::string to_string(const supervisor_tree& tree) {
  std::string out;
  draw(out, tree, "");
  return out;
}

} // namespace holdfast
