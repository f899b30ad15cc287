// http_talk.h: the HTTP requests of one TCP connection, one after the other, until it ends or becomes
// a WebSocket.
// Owns: HttpHome: the open talks of one io thread.   Used by: listener (begins), io_thread (ends).
// Threads: confined to the io thread.
// Fails: what is no HTTP, too large or too slow gets an answer where one can be given, then the end.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include <absl/container/flat_hash_set.h>
#include <absl/functional/any_invocable.h>
#include <absl/time/time.h>

#include "edge/auth/client_address.h"
#include "edge/auth/origin_policy.h"
#include "edge/connection/address_table.h"
#include "edge/connection/rate_limit.h"
#include "edge/transport/http_route.h"
#include "edge/transport/http_service.h"
#include "edge/transport/tls_outcome.h"
#include "edge/transport/transport_home.h"
#include "process/metrics.h"

namespace confab::edge {

struct HttpLimits {
  absl::Duration handshake_time = absl::Seconds(10);  // Of TLS, from the accepted socket.
  // From the accepted socket, the end of its handshake, or a later request's first byte.
  absl::Duration header_time = absl::Seconds(10);
  absl::Duration body_time = absl::Seconds(15);  // From the headers to the end of the body.
  // Between two requests. Longer than the pause of a client that polls, so that its next request
  // does not meet the end of the connection.
  absl::Duration idle_time = absl::Seconds(60);
  RateLimit accepts = {};  // TCP connections of this thread; off unless told.
  std::uint32_t header_bytes = 8 * 1024;
};

class EdgeStream;
class TlsKeys;
class HttpTalk;
struct HttpHome;
class ProxiedAccept;

// Connections of proxies before their talk, while the header is read that names the client. They own
// themselves while they are in here.
struct ProxiedAccepts {
  absl::flat_hash_set<std::shared_ptr<ProxiedAccept>> open = {};
  std::chrono::steady_clock::time_point warned_at = {};
};

// What talks count. Counters may be null.
struct HttpFigures {
  std::array<process::Counter*, kTlsOutcomeWords.size()> handshakes{};  // By TlsOutcome.
  process::Counter* handovers = nullptr;
};

// The io threads of the edge, as a talk sees them: requests go to the thread of their session.
class HttpPeers {
 public:
  virtual ~HttpPeers() = default;
  virtual bool HasThread(std::uint8_t thread) const = 0;
  // Runs `resume` on that thread, with its home.
  virtual void HandOver(std::uint8_t thread, absl::AnyInvocable<void(HttpHome&)> resume) = 0;
};

// What all HTTP talks of one io thread share. Outlives them, and goes before the loop.
struct HttpHome {
  TransportHome& transports;
  const OriginPolicy& origins;
  const HttpRoutes& routes;
  const ProxyTrust& proxies;
  AddressTable& addresses;  // Of all io threads.
  HttpPeers& peers;
  HttpLimits limits;
  HttpFigures figures = {};
  // For the sockets accepted from now on; null: without TLS.
  std::shared_ptr<const TlsKeys> tls = nullptr;
  // Answers what is neither an upgrade nor Engine.IO; null: a word about what stands here, or 404.
  HttpService* service = nullptr;

  // Talks own themselves while they are in here.
  absl::flat_hash_set<std::shared_ptr<HttpTalk>> talks = {};
  std::optional<ProxiedAccepts> proxied = {};  // Empty: no proxy is asked to name its clients.
  // No session opens any more, and answers but those of polling sessions are the last of their
  // connection.
  bool is_draining = false;
  bool is_stopping = false;  // All answers are.
};

// Shakes hands if the stream has TLS, reads and answers until the peer or a limit ends it.
void BeginHttpTalk(HttpHome& home, EdgeStream stream);

// The server stops: talks end after the answer that is due, those without a request at once.
void StopHttpTalks(HttpHome& home);

// Ends all of them at once; who waits for an answer gets none.
void EndHttpTalks(HttpHome& home);

}  // namespace confab::edge
