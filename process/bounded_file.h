// bounded_file.h: reads small files whole: secrets, keys, certificates.
// Threads: any thread.
#pragma once

#include <cstddef>
#include <string>

#include <absl/status/statusor.h>

namespace confab::process {

// NOT_FOUND: cannot be read. INVALID_ARGUMENT: is larger than `bytes_limit`. Both name the path.
absl::StatusOr<std::string> ReadBoundedFile(const std::string& path, size_t bytes_limit);

}  // namespace confab::process
