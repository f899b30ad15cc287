#include "storage/sqlite/file_lock.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <absl/status/status.h>
#include <fmt/format.h>

namespace confab::storage {
namespace {

absl::Status Failed(const std::string& path) {
  return absl::FailedPreconditionError(
      fmt::format("lock file {}: {}", path, std::generic_category().message(errno)));
}

}  // namespace

absl::StatusOr<std::optional<FileLock>> FileLock::TryAcquire(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return Failed(path);
  FileLock lock(path, descriptor);
  // flock belongs to the open description: it holds between two stores of one process too.
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return std::optional<FileLock>();
    return Failed(path);
  }
  if (!lock.IsHeld()) return std::optional<FileLock>();  // Replaced meanwhile: the next try.
  return std::optional<FileLock>(std::move(lock));
}

FileLock::FileLock(std::string path, int descriptor)
    : path_(std::move(path)), descriptor_(descriptor) {}

FileLock::FileLock(FileLock&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock::~FileLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

bool FileLock::IsHeld() const {
  struct stat at_path {};
  struct stat opened {};
  return stat(path_.c_str(), &at_path) == 0 && fstat(descriptor_, &opened) == 0 &&
         at_path.st_dev == opened.st_dev && at_path.st_ino == opened.st_ino;
}

}  // namespace confab::storage
