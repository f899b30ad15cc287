#include "process/ready_file.h"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace confab::process {
namespace {

absl::Status FileError(std::string_view verb, const std::string& path, int error) {
  return absl::UnavailableError(fmt::format("cannot {} the ready file {}: {}", verb, path,
                                            std::generic_category().message(error)));
}

// 0 or errno.
int WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

}  // namespace

absl::Status WriteReadyFile(const std::string& path,
                            const std::vector<std::pair<std::string, std::string>>& fields) {
  if (path.empty()) return absl::OkStatus();
  boost::json::object json;
  json["pid"] = static_cast<int64_t>(::getpid());
  for (const auto& [key, value] : fields) json[key] = value;
  const std::string text = boost::json::serialize(json) + "\n";

  // Beside the file, so that rename stays inside one file system; the pid keeps two apart.
  const std::string temporary = fmt::format("{}.{}.tmp", path, ::getpid());
  // Made anew, never followed: the folder may be one where others write too.
  ::unlink(temporary.c_str());
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) return FileError("write", temporary, errno);
  const int error = WriteAll(fd, text);
  ::close(fd);
  if (error != 0) {
    ::unlink(temporary.c_str());
    return FileError("write", temporary, error);
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    const int rename_error = errno;
    ::unlink(temporary.c_str());
    return FileError("write", path, rename_error);
  }
  return absl::OkStatus();
}

void RemoveReadyFile(const std::string& path) {
  if (!path.empty()) ::unlink(path.c_str());
}

}  // namespace confab::process
