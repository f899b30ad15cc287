// tls_files.h: a self-signed certificate made on the spot, as PEM files of a test's own folder.
#pragma once

#include <string>

namespace confab::tests {

struct TlsFiles {
  std::string cert_file;
  std::string key_file;
};

// P-256, valid for an hour, for "localhost" and 127.0.0.1. `name` is that of the files, and the
// certificate's common name.
TlsFiles MakeTlsFiles(const std::string& folder, const std::string& name);

}  // namespace confab::tests
