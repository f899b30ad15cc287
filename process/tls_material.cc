#include "process/tls_material.h"

#include <fcntl.h>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "process/bounded_file.h"

namespace confab::process {
namespace {

// A system's bundle of authorities has a quarter of that.
constexpr size_t kPemBytesLimit = 1024 * 1024;

using Key = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
using Certificate = std::unique_ptr<X509, void (*)(X509*)>;
using Source = std::unique_ptr<BIO, int (*)(BIO*)>;

absl::Status Refuse(std::string_view flag, std::string_view file, std::string_view why) {
  return absl::InvalidArgumentError(fmt::format("--{} {}: {}", flag, file, why));
}

absl::StatusOr<std::string> Read(std::string_view flag, const std::string& file) {
  absl::StatusOr<std::string> text = ReadBoundedFile(file, kPemBytesLimit);
  if (text.ok()) return text;
  return absl::Status(text.status().code(),
                      fmt::format("--{}: {}", flag, std::string(text.status().message())));
}

Source SourceOf(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free};
}

// Never asks a terminal for the password of an encrypted key.
int NoPassword(char* /*buffer*/, int /*size*/, int /*is_for_writing*/, void* /*user*/) {
  return -1;
}

Certificate FirstCertificate(const std::string& text) {
  const Source source = SourceOf(text);
  Certificate certificate(PEM_read_bio_X509(source.get(), nullptr, NoPassword, nullptr), X509_free);
  ERR_clear_error();
  return certificate;
}

Key FirstKey(const std::string& text) {
  const Source source = SourceOf(text);
  Key key(PEM_read_bio_PrivateKey(source.get(), nullptr, NoPassword, nullptr), EVP_PKEY_free);
  ERR_clear_error();
  return key;
}

absl::Status Check(const TlsFiles& files, const TlsFlags& flags, const std::string& cert,
                   const std::string& key, const std::string& ca) {
  const Certificate certificate = FirstCertificate(cert);
  if (certificate == nullptr) return Refuse(flags.cert, files.cert, "holds no PEM certificate");
  if (X509_cmp_current_time(X509_get0_notAfter(certificate.get())) < 0) {
    return Refuse(flags.cert, files.cert, "the certificate has expired");
  }
  const Key private_key = FirstKey(key);
  if (private_key == nullptr) {
    return Refuse(flags.key, files.key, "holds no PEM private key without a password");
  }
  const bool is_pair = X509_check_private_key(certificate.get(), private_key.get()) == 1;
  ERR_clear_error();
  if (!is_pair) {
    return Refuse(flags.key, files.key,
                  fmt::format("is not the key of the certificate in {}", files.cert));
  }
  if (FirstCertificate(ca) == nullptr) {
    return Refuse(flags.ca, files.ca, "holds no PEM certificate of an authority");
  }
  return absl::OkStatus();
}

// A new file in memory takes the place of `fd` in one step, so that a reader of its path sees the
// old content or the new one.
absl::Status Publish(const char* name, const std::string& text, int& fd) {
  const int made = ::memfd_create(name, MFD_CLOEXEC);
  if (made < 0) return absl::InternalError("memfd_create failed");
  bool is_good = ::write(made, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (fd < 0) {
    fd = made;
  } else {
    is_good = is_good && ::dup3(made, fd, O_CLOEXEC) == fd;
    ::close(made);
  }
  return is_good ? absl::OkStatus() : absl::InternalError("cannot keep a certificate in memory");
}

}  // namespace

TlsMaterial::TlsMaterial(TlsFiles files, TlsFlags flags)
    : files_(std::move(files)), flags_(std::move(flags)) {}

TlsMaterial::~TlsMaterial() {
  for (const int fd : {identity_fd_, ca_fd_}) {
    if (fd >= 0) ::close(fd);
  }
}

absl::StatusOr<std::unique_ptr<TlsMaterial>> TlsMaterial::Load(TlsFiles files, TlsFlags flags) {
  for (const auto& [flag, file] :
       {std::pair<const std::string&, const std::string&>(flags.cert, files.cert),
        {flags.key, files.key},
        {flags.ca, files.ca}}) {
    if (file.empty()) {
      return absl::InvalidArgumentError(fmt::format(
          "--{} is missing: TLS needs --{}, --{} and --{}", flag, flags.cert, flags.key, flags.ca));
    }
  }
  std::unique_ptr<TlsMaterial> material(new TlsMaterial(std::move(files), std::move(flags)));
  if (absl::Status read = material->Reload(); !read.ok()) return read;
  return material;
}

absl::Status TlsMaterial::Reload() {
  const absl::StatusOr<std::string> cert = Read(flags_.cert, files_.cert);
  if (!cert.ok()) return cert.status();
  absl::StatusOr<std::string> key = Read(flags_.key, files_.key);
  if (!key.ok()) return key.status();
  const absl::StatusOr<std::string> ca = Read(flags_.ca, files_.ca);
  if (!ca.ok()) return ca.status();
  if (absl::Status checked = Check(files_, flags_, *cert, *key, *ca); !checked.ok()) return checked;
  std::string identity = fmt::format("{}\n{}", *key, *cert);
  absl::Status kept = Publish("tls-identity", identity, identity_fd_);
  if (kept.ok()) kept = Publish("tls-ca", *ca, ca_fd_);
  OPENSSL_cleanse(identity.data(), identity.size());
  OPENSSL_cleanse(key->data(), key->size());
  return kept;
}

std::string TlsMaterial::identity_path() const {
  return fmt::format("/proc/self/fd/{}", identity_fd_);
}

std::string TlsMaterial::ca_path() const { return fmt::format("/proc/self/fd/{}", ca_fd_); }

}  // namespace confab::process
