#include "progress.hpp"

#include <unistd.h>

namespace package_index {

namespace {

constexpr std::size_t width = 30;
constexpr std::chrono::milliseconds redraw_interval{100};

} // namespace

progress_bar::progress_bar(std::string label, std::FILE* out, const holdfast::clock& time)
    : label_{std::move(label)}, out_{out}, time_{time}, terminal_{isatty(fileno(out)) == 1},
      started_{time.steady()} {}

void progress_bar::update(std::size_t done, std::size_t total, std::size_t items) {
  if (!terminal_ || total == 0)
    return;
  auto now = time_.steady();
  if (drawn_ && now - *drawn_ < redraw_interval)
    return;
  drawn_ = now;
  auto filled = done * width / total;
  auto bar = std::string(filled, '#') + std::string(width - filled, '.');
  std::fprintf(out_, "\r  %s [%s] %3zu %%  %s", label_.c_str(), bar.c_str(), done * 100 / total,
               grouped(items).c_str());
  std::fflush(out_);
}

void progress_bar::finish(std::size_t items) {
  auto took = std::chrono::duration<double>(time_.steady() - started_).count();
  if (terminal_)
    std::fprintf(out_, "\r\x1b[K");
  auto rate = static_cast<std::uint64_t>(took > 0 ? static_cast<double>(items) / took : 0);
  std::fprintf(out_, "  %s: %s in %.2f s (%s per second)\n", label_.c_str(), grouped(items).c_str(),
               took, grouped(rate).c_str());
  std::fflush(out_);
}

std::string grouped(std::uint64_t n) {
  auto out = std::to_string(n);
  for (auto at = static_cast<std::ptrdiff_t>(out.size()) - 3; at > 0; at -= 3)
    out.insert(static_cast<std::size_t>(at), ",");
  return out;
}

} // namespace package_index
