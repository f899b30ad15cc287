#include "edge/transport/tls_session.h"

#include <array>
#include <ctime>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/buffer.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "process/bounded_file.h"

namespace confab::edge {

namespace {

// A certificate with its chain has some 10 KiB.
constexpr std::size_t kPemBytesLimit = 256 * 1024;

// A buffer that has grown beyond this is given back once it is empty, so that thousands of idle
// connections do not each keep the largest record they ever had. Below, acks and pings reuse it.
constexpr std::size_t kKeptBytes = 512;

using Source = std::unique_ptr<BIO, int (*)(BIO*)>;
using Certificate = std::unique_ptr<X509, void (*)(X509*)>;
using PrivateKey = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;

Source SourceOf(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free};
}

// Never asks a terminal for the password of an encrypted key.
int NoPassword(char* /*buffer*/, int /*size*/, int /*is_for_writing*/, void* /*user*/) {
  return -1;
}

Certificate NextCertificate(const Source& source) {
  return {PEM_read_bio_X509(source.get(), nullptr, NoPassword, nullptr), X509_free};
}

absl::Time TimeOf(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return absl::InfinitePast();
  return absl::FromTM(parts, absl::UTCTimeZone());
}

std::string TextOf(unsigned long code) {
  if (code == 0) return "no reason given";
  const char* text = ERR_reason_error_string(code);
  return text != nullptr ? text : fmt::format("OpenSSL error {:x}", code);
}

std::string TakeError() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  return TextOf(code);
}

// The first bytes were no record of TLS at all.
bool IsNoTls(unsigned long code) {
  switch (ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0) {
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_WRONG_VERSION_NUMBER:
      return true;
    default:
      return false;
  }
}

// RFC 7301. A client that offers something else only is served all the same, as one without ALPN.
int ChooseProtocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                   const unsigned char* offered, unsigned int offered_size, void*) {
  static constexpr std::array<unsigned char, 9> kHttp11 = {8,   'h', 't', 't', 'p',
                                                           '/', '1', '.', '1'};
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, chosen_size, kHttp11.data(), kHttp11.size(), offered,
                            offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

// REQUIRES: `buffer` is one in memory.
bool IsWorthShrinking(BIO* buffer) {
  BUF_MEM* memory = nullptr;
  BIO_get_mem_ptr(buffer, &memory);
  return memory->length == 0 && memory->max > kKeptBytes;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const TlsKeys>> TlsKeys::Load(const std::string& cert_file,
                                                             const std::string& key_file) {
  const absl::StatusOr<std::string> cert = process::ReadBoundedFile(cert_file, kPemBytesLimit);
  if (!cert.ok()) return cert.status();
  absl::StatusOr<std::string> key = process::ReadBoundedFile(key_file, kPemBytesLimit);
  if (!key.ok()) return key.status();
  ERR_clear_error();
  SSL_CTX* made = SSL_CTX_new(TLS_server_method());
  if (made == nullptr) return absl::InternalError("OpenSSL gives no TLS");
  const std::shared_ptr<TlsKeys> keys(new TlsKeys(made));
  SSL_CTX_set_min_proto_version(made, TLS1_2_VERSION);
  // A socket that ends without a goodbye is an end like any other: frames have lengths.
  SSL_CTX_set_options(made, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION |
                                SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION);
  // An idle connection gives its 34 KiB of buffers back.
  SSL_CTX_set_mode(made, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
  // Resumption by tickets alone: a cache of sessions would grow with clients.
  SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_alpn_select_cb(made, ChooseProtocol, nullptr);
  const absl::Status used = keys->Use(cert_file, *cert, key_file, *key);
  OPENSSL_cleanse(key->data(), key->size());
  if (!used.ok()) return used;
  return keys;
}

absl::Status TlsKeys::Use(const std::string& cert_file, const std::string& cert,
                          const std::string& key_file, const std::string& key) {
  const auto refuse = [](const std::string& file, std::string_view why) {
    const std::string detail = TakeError();
    return absl::InvalidArgumentError(fmt::format("{}: {} ({})", file, why, detail));
  };
  const Source chain = SourceOf(cert);
  const Certificate own = NextCertificate(chain);
  if (own == nullptr) return refuse(cert_file, "holds no PEM certificate");
  if (SSL_CTX_use_certificate(made_, own.get()) != 1) {
    return refuse(cert_file, "OpenSSL does not take this certificate");
  }
  while (const Certificate next = NextCertificate(chain)) {
    if (SSL_CTX_add1_chain_cert(made_, next.get()) != 1) {
      return refuse(cert_file, "OpenSSL does not take a certificate of the chain");
    }
  }
  ERR_clear_error();  // The end of the file.
  const Source key_source = SourceOf(key);
  const PrivateKey private_key(
      PEM_read_bio_PrivateKey(key_source.get(), nullptr, NoPassword, nullptr), EVP_PKEY_free);
  if (private_key == nullptr) {
    return refuse(key_file, "holds no PEM private key without a password");
  }
  if (X509_check_private_key(own.get(), private_key.get()) != 1 ||
      SSL_CTX_use_PrivateKey(made_, private_key.get()) != 1) {
    return refuse(key_file, fmt::format("is not the key of the certificate in {}", cert_file));
  }
  not_before_ = TimeOf(X509_get0_notBefore(own.get()));
  not_after_ = TimeOf(X509_get0_notAfter(own.get()));
  std::array<char, 256> subject{};
  X509_NAME_oneline(X509_get_subject_name(own.get()), subject.data(), subject.size());
  subject_ = subject.data();
  return absl::OkStatus();
}

TlsKeys::~TlsKeys() { SSL_CTX_free(made_); }

TlsSession::TlsSession(const TlsKeys& keys)
    : ssl_(SSL_new(keys.made_)), incoming_(BIO_new(BIO_s_mem())), outgoing_(BIO_new(BIO_s_mem())) {
  SSL_set_bio(ssl_, incoming_, outgoing_);
  SSL_set_accept_state(ssl_);
}

TlsSession::~TlsSession() { SSL_free(ssl_); }

TlsSession::Step TlsSession::StepOf(int result) {
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_NONE:
      return Step::kDone;
    case SSL_ERROR_WANT_READ:
      return Step::kWantsInput;
    case SSL_ERROR_ZERO_RETURN:
      return Step::kClosed;
    default:
      break;
  }
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  last_error_ = TextOf(code);
  return IsNoTls(code) && SSL_in_init(ssl_) ? Step::kNoTls : Step::kFailed;
}

TlsSession::Step TlsSession::Bounded(Step step) {
  if (step == Step::kDone) {
    idle_bytes_ = 0;
  } else if (step == Step::kWantsInput && idle_bytes_ > kIdleBytesLimit) {
    last_error_ = "too much without any data";
    return Step::kFailed;
  }
  return step;
}

TlsSession::Step TlsSession::Handshake() {
  ERR_clear_error();
  return Bounded(StepOf(SSL_do_handshake(ssl_)));
}

void TlsSession::Feed(std::span<const char> bytes) {
  idle_bytes_ += bytes.size();
  // A memory buffer takes all; callers feed what one read gave.
  BIO_write(incoming_, bytes.data(), static_cast<int>(bytes.size()));
}

TlsSession::Step TlsSession::Read(std::span<char> space, std::size_t& count) {
  ERR_clear_error();
  count = 0;
  const Step step = Bounded(StepOf(SSL_read_ex(ssl_, space.data(), space.size(), &count)));
  if (step == Step::kWantsInput) ShrinkIncoming();
  return step;
}

void TlsSession::ShrinkIncoming() {
  if (!IsWorthShrinking(incoming_)) return;
  incoming_ = BIO_new(BIO_s_mem());
  SSL_set0_rbio(ssl_, incoming_);
}

void TlsSession::ShrinkOutgoing() {
  if (SSL_is_init_finished(ssl_) == 0 || !IsWorthShrinking(outgoing_)) return;
  outgoing_ = BIO_new(BIO_s_mem());
  SSL_set0_wbio(ssl_, outgoing_);
}

bool TlsSession::Write(std::string_view bytes) {
  ERR_clear_error();
  while (!bytes.empty()) {
    std::size_t written = 0;
    if (StepOf(SSL_write_ex(ssl_, bytes.data(), bytes.size(), &written)) != Step::kDone) {
      return false;
    }
    bytes.remove_prefix(written);
  }
  return true;
}

void TlsSession::SayClosed() {
  ERR_clear_error();
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

std::string_view TlsSession::outgoing() const {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(outgoing_, &bytes);
  return std::string_view(bytes, static_cast<std::size_t>(size)).substr(sent_);
}

void TlsSession::Consume(std::size_t bytes) {
  sent_ += bytes;
  if (!outgoing().empty()) return;
  sent_ = 0;
  BIO_reset(outgoing_);
  ShrinkOutgoing();
}

}  // namespace confab::edge
