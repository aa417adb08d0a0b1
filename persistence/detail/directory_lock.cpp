#include <holdfast/persistence/detail/directory_lock.hpp>

#include <fstream>
#include <sstream>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace holdfast::detail {
namespace {

// The process that holds a lock on `fd`'s inode, as " by process 123", from /proc/locks, where a
// line reads: "1: FLOCK  ADVISORY  WRITE 123 fe:00:4711 0 EOF".
std::string holder(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0)
    return {};
  auto inode = ":" + std::to_string(status.st_ino);
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    std::string number, kind, mode, access, process, file;
    words >> number >> kind >> mode >> access >> process >> file;
    if (kind == "FLOCK" && file.ends_with(inode))
      return " by process " + process;
  }
  return {};
}

} // namespace

directory_lock::~directory_lock() {
  if (fd_ >= 0)
    ::close(fd_);
}

result<directory_lock> directory_lock::take(const std::string& directory) {
  auto reason = [] { return std::generic_category().message(errno); };
  auto fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return fail(errc::io, directory + ": cannot be opened: " + reason());
  directory_lock held{fd};
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0)
    return held;
  if (errno == EWOULDBLOCK)
    return fail(errc::locked, directory + ": is in use" + holder(fd));
  return fail(errc::io, directory + ": cannot be locked: " + reason());
}

} // namespace holdfast::detail
