#include <examples/package_index/progress.hpp>

#include <gmock/gmock.h>

#include <array>
#include <cstdlib>
#include <memory>

#include <fcntl.h>
#include <unistd.h>

namespace package_index {
namespace {

using namespace std::chrono_literals;

struct close_file {
  void operator()(std::FILE* f) const { std::fclose(f); }
};
using file = std::unique_ptr<std::FILE, close_file>;

/// What arrives at the other end until that is closed.
std::string rest_of(int descriptor) {
  std::string out;
  std::array<char, 4096> chunk;
  for (ssize_t n = 0; (n = ::read(descriptor, chunk.data(), chunk.size())) > 0;)
    out.append(chunk.data(), static_cast<std::size_t>(n));
  return out;
}

/// A terminal, seen from the side of the one who sits at it.
class terminal {
public:
  terminal() : seat_{posix_openpt(O_RDWR | O_NOCTTY)} {
    if (seat_ < 0 || grantpt(seat_) != 0 || unlockpt(seat_) != 0)
      return;
    // Or it would become the terminal of a process that has none, and hang that up in the end.
    if (auto screen = ::open(ptsname(seat_), O_WRONLY | O_NOCTTY); screen >= 0)
      out_.reset(fdopen(screen, "w"));
  }
  terminal(const terminal&) = delete;
  terminal& operator=(const terminal&) = delete;
  ~terminal() {
    if (seat_ >= 0)
      ::close(seat_);
  }

  std::FILE* out() const { return out_.get(); }
  /// Everything that was printed; nothing more can be.
  std::string shown() {
    out_.reset();
    return rest_of(seat_);
  }

private:
  int seat_;
  file out_;
};

/// Loads 2,000 items in 250 ms, one tenth of it after the other.
void load(std::FILE* out) {
  holdfast::manual_clock time;
  progress_bar bar{"loading", out, time};
  for (std::size_t tenth = 0; tenth < 10; ++tenth) {
    bar.update(tenth, 10, 200 * tenth);
    time.advance(25ms);
  }
  bar.finish(2'000);
}

TEST(progress_bar, redraws_itself_ten_times_a_second_on_a_terminal) {
  terminal screen;
  ASSERT_TRUE(screen.out()) << "no pseudo-terminal";
  load(screen.out());
  EXPECT_EQ(screen.shown(), "\r  loading [..............................]   0 %  0"
                            "\r  loading [############..................]  40 %  800"
                            "\r  loading [########################......]  80 %  1,600"
                            "\r\x1b[K  loading: 2,000 in 0.25 s (8,000 per second)\r\n");
}

TEST(progress_bar, prints_its_closing_line_alone_where_nobody_watches) {
  std::array<int, 2> ends;
  ASSERT_EQ(pipe(ends.data()), 0);
  file out{fdopen(ends[1], "w")};
  load(out.get());
  out.reset();
  EXPECT_EQ(rest_of(ends[0]), "  loading: 2,000 in 0.25 s (8,000 per second)\n");
  ::close(ends[0]);
}

TEST(progress_bar, of_nothing_is_no_division_by_zero) {
  terminal screen;
  ASSERT_TRUE(screen.out()) << "no pseudo-terminal";
  holdfast::manual_clock time;
  progress_bar bar{"loading", screen.out(), time};
  bar.update(0, 0, 0);
  bar.finish(0);
  EXPECT_EQ(screen.shown(), "\r\x1b[K  loading: 0 in 0.00 s (0 per second)\r\n");
}

} // namespace
} // namespace package_index
