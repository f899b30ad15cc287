#include "edge/transport/tls_session.h"

#include <array>
#include <climits>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace confab::edge {

namespace {

std::string TakeError() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "unknown reason";
  const char* text = ERR_reason_error_string(code);
  return text != nullptr ? text : fmt::format("OpenSSL error {:x}", code);
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

}  // namespace

absl::StatusOr<std::shared_ptr<const TlsKeys>> TlsKeys::Load(const std::string& cert_file,
                                                             const std::string& key_file) {
  ERR_clear_error();
  SSL_CTX* made = SSL_CTX_new(TLS_server_method());
  if (made == nullptr) return absl::InternalError("OpenSSL gives no TLS");
  std::shared_ptr<const TlsKeys> keys(new TlsKeys(made));
  SSL_CTX_set_min_proto_version(made, TLS1_2_VERSION);
  // A socket that ends without a goodbye is an end like any other: frames have lengths.
  SSL_CTX_set_options(made, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION |
                                SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION);
  // An idle connection gives its 34 KiB of buffers back.
  SSL_CTX_set_mode(made, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
  // Resumption by tickets alone: a cache of sessions would grow with clients.
  SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_alpn_select_cb(made, ChooseProtocol, nullptr);
  if (SSL_CTX_use_certificate_chain_file(made, cert_file.c_str()) != 1) {
    return absl::InvalidArgumentError(
        fmt::format("cannot use {} as the server's certificate (PEM, with its chain): {}",
                    cert_file, TakeError()));
  }
  if (SSL_CTX_use_PrivateKey_file(made, key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return absl::InvalidArgumentError(fmt::format(
        "cannot use {} as the private key (PEM) of {}: {}", key_file, cert_file, TakeError()));
  }
  if (SSL_CTX_check_private_key(made) != 1) {
    return absl::InvalidArgumentError(
        fmt::format("the key in {} is not that of the certificate {}", key_file, cert_file));
  }
  return keys;
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
      last_error_ = TakeError();
      return Step::kFailed;
  }
}

TlsSession::Step TlsSession::Handshake() {
  ERR_clear_error();
  return StepOf(SSL_do_handshake(ssl_));
}

void TlsSession::Feed(std::span<const char> bytes) {
  // A memory buffer takes all; callers feed what one read gave.
  BIO_write(incoming_, bytes.data(), static_cast<int>(bytes.size()));
}

TlsSession::Step TlsSession::Read(std::span<char> space, std::size_t& count) {
  ERR_clear_error();
  count = 0;
  return StepOf(SSL_read_ex(ssl_, space.data(), space.size(), &count));
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
}

}  // namespace confab::edge
