#include <holdfast/store/snapshot.hpp>

#include <holdfast/store/detail/commit_line.hpp>

namespace holdfast {

namespace {

/// The registration together with the lines it is registered with, so that neither outlives the
/// other.
struct held_lines {
  held_lines(std::shared_ptr<detail::commit_lines> l, const clock& by)
      : lines{std::move(l)}, pair{*lines, by} {}
  std::shared_ptr<detail::commit_lines> lines;
  detail::snapshot_pair pair;
};

} // namespace

snapshot::snapshot(std::shared_ptr<detail::commit_lines> lines, const clock& by) {
  auto held = std::make_shared<held_lines>(std::move(lines), by);
  pair_ = std::shared_ptr<const detail::snapshot_pair>{held, &held->pair};
}

sequence snapshot::seq(detail::line_kind line) const noexcept { return pair_->seq(line); }
timestamp snapshot::time() const noexcept { return pair_->time(); }
bool snapshot::is_of(const detail::commit_lines& lines) const noexcept {
  return pair_->is_of(lines);
}
sequence snapshot::memory_seq() const noexcept { return pair_->seq(detail::line_kind::memory); }
sequence snapshot::durable_seq() const noexcept { return pair_->seq(detail::line_kind::durable); }

} // namespace holdfast
