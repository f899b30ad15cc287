#include "process/bounded_file.h"

#include <fstream>

#include <absl/status/status.h>
#include <fmt/format.h>

namespace confab::process {

absl::StatusOr<std::string> ReadBoundedFile(const std::string& path, size_t bytes_limit) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes(bytes_limit + 1, '\0');
  if (file) file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file.is_open() || file.bad()) {
    return absl::NotFoundError(fmt::format("cannot read {}", path));
  }
  bytes.resize(static_cast<size_t>(file.gcount()));
  if (bytes.size() > bytes_limit) {
    return absl::InvalidArgumentError(
        fmt::format("{} is over {} bytes: not the file that is meant", path, bytes_limit));
  }
  return bytes;
}

}  // namespace confab::process
