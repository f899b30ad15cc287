// tls_material.h: one side's certificate, its private key and the authorities it trusts, read from
// PEM files, checked, and held where a library that watches files finds them.
// Owns: two files in memory, which no other user of the machine can open.   Used by: the gRPC ends.
// Threads: caller serialises; the paths from any thread.
// Fails: INVALID_ARGUMENT, NOT_FOUND name the option, the file and what is wrong; what was in use
// stays.
#pragma once

#include <memory>
#include <string>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

namespace confab::process {

struct TlsFiles {
  std::string cert;  // With the chain behind it.
  std::string key;
  std::string ca;

  bool is_given() const { return !cert.empty() || !key.empty() || !ca.empty(); }
};

// How the options are called, for messages: "control-tls-cert" and so on.
struct TlsFlags {
  std::string cert = "control-tls-cert";
  std::string key = "control-tls-key";
  std::string ca = "control-tls-ca";
};

class TlsMaterial {
 public:
  // All three files are needed.
  static absl::StatusOr<std::unique_ptr<TlsMaterial>> Load(TlsFiles files, TlsFlags flags);
  ~TlsMaterial();
  TlsMaterial(const TlsMaterial&) = delete;
  TlsMaterial& operator=(const TlsMaterial&) = delete;

  // Reads the files again, whole or not at all. Who reads the paths never sees a key and a
  // certificate that do not belong together.
  absl::Status Reload();

  // The private key with its certificates behind it, and the authorities: PEM, good as long as this
  // object and within this process.
  std::string identity_path() const;
  std::string ca_path() const;

 private:
  TlsMaterial(TlsFiles files, TlsFlags flags);

  const TlsFiles files_;
  const TlsFlags flags_;
  int identity_fd_ = -1;
  int ca_fd_ = -1;
};

}  // namespace confab::process
