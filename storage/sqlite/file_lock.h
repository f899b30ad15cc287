// file_lock.h: a lock file that one open description at a time holds, gone with its process.
// Owns: the descriptor.   Used by: sqlite_store.
// Threads: caller serialises.
// Fails: FAILED_PRECONDITION if the file cannot be made; never throws.
#pragma once

#include <optional>
#include <string>

#include <absl/status/statusor.h>

namespace confab::storage {

class FileLock {
 public:
  // No lock: another one holds it.
  static absl::StatusOr<std::optional<FileLock>> TryAcquire(const std::string& path);
  ~FileLock();
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&&) = delete;

  // False once the file at the path is another one: then somebody else may hold that.
  bool IsHeld() const;

 private:
  FileLock(std::string path, int descriptor);
  std::string path_;
  int descriptor_;
};

}  // namespace confab::storage
