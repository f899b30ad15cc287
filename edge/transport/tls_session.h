// tls_session.h: TLS of the public port, as bytes in and bytes out: certificate and key of the
// server (TlsKeys), and one connection's state (TlsSession). No sockets.
// Owns: TlsKeys an SSL_CTX, TlsSession an SSL with two memory buffers.
// Used by: edge_stream, edge (loads and reloads the keys).
// Threads: TlsKeys immutable, any thread; TlsSession: caller serialises.
// Fails: Load with NOT_FOUND, INVALID_ARGUMENT naming the file and what is wrong with it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

struct ssl_ctx_st;
struct ssl_st;
struct bio_st;

namespace confab::edge {

class TlsKeys {
 public:
  // PEM: `cert_file` the server's certificate followed by the chain, `key_file` its private key.
  // TLS 1.2 and 1.3; ALPN offers http/1.1 alone, a WebSocket needs it. Whether the certificate has
  // expired is for the caller to look at: clients refuse it, others may go on for an hour.
  static absl::StatusOr<std::shared_ptr<const TlsKeys>> Load(const std::string& cert_file,
                                                             const std::string& key_file);
  ~TlsKeys();
  TlsKeys(const TlsKeys&) = delete;
  TlsKeys& operator=(const TlsKeys&) = delete;

  absl::Time not_before() const { return not_before_; }
  absl::Time not_after() const { return not_after_; }
  const std::string& subject() const { return subject_; }  // Of the certificate, for the log.

 private:
  friend class TlsSession;
  explicit TlsKeys(ssl_ctx_st* made) : made_(made) {}
  absl::Status Use(const std::string& cert_file, const std::string& cert,
                   const std::string& key_file, const std::string& key);

  ssl_ctx_st* const made_;
  absl::Time not_before_;
  absl::Time not_after_;
  std::string subject_;
};

class TlsSession {
 public:
  enum class Step {
    kDone,
    kWantsInput,  // Feed more of what the peer sent.
    kClosed,      // The peer said that nothing follows.
    kNoTls,       // What came is something else: mostly HTTP without TLS. Handshake alone.
    kFailed,      // Broken: last_error() says what. An alert may be outgoing.
  };

  // The server's side; keeps what it needs of `keys`, so that these may be replaced meanwhile.
  explicit TlsSession(const TlsKeys& keys);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  // Goes on with the handshake.
  Step Handshake();
  // Bytes from the peer, to be looked at by the next Handshake or Read.
  void Feed(std::span<const char> bytes);
  // Deciphers into `space`; `count` says how much. REQUIRES: the handshake is done.
  Step Read(std::span<char> space, std::size_t& count);
  // Ciphers all of it, which adds to the outgoing bytes. False: broken.
  bool Write(std::string_view bytes);
  // Adds the goodbye (close_notify) to the outgoing bytes.
  void SayClosed();

  // What is to be sent to the peer; valid until any other call.
  std::string_view outgoing() const;
  void Consume(std::size_t bytes);

  std::string last_error() const { return last_error_; }

 private:
  // What a peer may send without completing a handshake or one byte of data: a handshake has a few
  // KiB, a record 16; more is work made for us (key updates without end).
  static constexpr std::size_t kIdleBytesLimit = 24 * 1024;

  Step StepOf(int result);
  Step Bounded(Step step);
  void ShrinkIncoming();
  void ShrinkOutgoing();

  ssl_st* const ssl_;
  bio_st* incoming_;      // Owned by ssl_.
  bio_st* outgoing_;      // Owned by ssl_.
  std::size_t sent_ = 0;  // Of outgoing_.
  std::size_t idle_bytes_ = 0;
  std::string last_error_;
};

}  // namespace confab::edge
