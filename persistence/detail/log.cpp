#include <holdfast/persistence/detail/log.hpp>

#include <rocksdb/env.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace holdfast::detail {
namespace {

namespace rdb = ::rocksdb;

/// Warnings are few. Not an option: who wants more of them than the last two files hold keeps the
/// program's own log.
constexpr std::size_t max_log_bytes = std::size_t{1} << 20;

class log_file final : public rdb::Logger {
public:
  explicit log_file(std::string path) : Logger(rdb::WARN_LEVEL), path_(std::move(path)) {}
  ~log_file() override { close(); }

  using rdb::Logger::Logv;
  void Logv(const char* format, va_list values) override {
    std::array<char, 4096> line; // a longer one is cut
    auto size = begin(line);
    auto more = std::vsnprintf(&line[size], line.size() - size, format, values);
    size = std::min(size + static_cast<std::size_t>(std::max(more, 0)), line.size() - 1);
    if (line[size - 1] != '\n')
      line[size++] = '\n';
    write({line.data(), size});
  }

private:
  /// "2024-02-29T12:00:00Z ", and how long that is.
  static std::size_t begin(std::array<char, 4096>& line) {
    const auto moment = std::time(nullptr);
    std::tm parts{};
    ::gmtime_r(&moment, &parts);
    return std::strftime(line.data(), line.size(), "%Y-%m-%dT%H:%M:%SZ ", &parts);
  }

  void write(std::string_view line) {
    std::lock_guard lock(mutex_);
    if (fd_ < 0)
      open(O_APPEND);
    if (size_ >= max_log_bytes) {
      close();
      std::rename(path_.c_str(), (path_ + ".old").c_str());
      open(O_APPEND | O_TRUNC);
    }
    if (auto written = ::write(fd_, line.data(), line.size()); written > 0)
      size_ += static_cast<std::size_t>(written);
  }

  void open(int how) {
    fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | how, 0644);
    struct stat status {};
    size_ = fd_ >= 0 && ::fstat(fd_, &status) == 0 ? static_cast<std::size_t>(status.st_size) : 0;
  }
  void close() {
    if (fd_ >= 0)
      ::close(fd_);
    fd_ = -1;
  }

  std::string path_;
  std::mutex mutex_;
  int fd_ = -1;
  std::size_t size_ = 0;
};

} // namespace

std::shared_ptr<rdb::Logger> log_of(const std::string& directory) {
  return std::make_shared<log_file>(directory + "/LOG");
}

} // namespace holdfast::detail
