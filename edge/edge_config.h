// edge_config.h: every option of the edge with its default, unit and bound.
// Threads: immutable once Edge has it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/time/time.h>

#include "process/tls_material.h"

namespace confab::process {
class ConfigLoader;
}

namespace confab::edge {

struct EdgeConfig {
  std::string listen = "127.0.0.1:8080";
  // PEM files: with them clients come over TLS. Both or none; read again on HUP.
  std::string tls_cert_file;  // With the chain behind it.
  std::string tls_key_file;
  // Where control serves gRPC: unix:PATH or HOST:PORT; the next of the list is tried
  // when one cannot be reached.
  std::vector<std::string> control = {"127.0.0.1:8081"};
  // PEM files: with them control is dialled with mutual TLS, on any host. All three or none; read
  // again before each connection to control.
  process::TlsFiles control_tls;
  // What checks user tokens: a JWKS document, an HS256 secret of at least 32 bytes, or both. Read
  // again on HUP.
  std::string user_keys_file;
  std::string user_secret_file;
  // HS256 secret of service tokens: the edge mints its own, with scope edge. Needed to reach
  // control over TCP or a socket; not with an in-process channel.
  std::string service_secret_file;
  // Asked of user tokens; empty: not asked.
  std::string token_issuer;
  std::string token_audience;
  // Claims of user tokens; of each list the first that a token has counts.
  std::vector<std::string> user_id_claims = {"sub", "userId", "id"};
  std::vector<std::string> name_claims = {"name"};
  std::vector<std::string> email_claims = {"email"};
  std::vector<std::string> role_claims = {"roleContextId", "role"};
  std::vector<std::string> allowed_origins;
  // Addresses and networks whose X-Forwarded-For is believed.
  std::vector<std::string> trusted_proxies;
  // Their connections begin with the PROXY protocol, version 1 or 2.
  bool proxy_protocol = false;
  // Of who names none in the handshake.
  std::string dialect = "confab";
  // More dialects, one a file that ends in .json; empty: the built-in ones alone.
  std::string dialect_dir;
  // Dialects whose clients may have a lost session back (Socket.IO's connection state recovery): their
  // events have one argument more.
  std::vector<std::string> recovery;
  // From a session's loss, for its client to come back: as long as Socket.IO's own default.
  absl::Duration recovery_time = absl::Minutes(2);
  // Socket.IO namespaces that clients may join.
  std::vector<std::string> namespaces = {"/"};
  // Where Socket.IO clients connect; their option `path`.
  std::string socketio_path = "/socket.io/";
  // Name of this edge towards control, stable over its restarts; empty: host name and port.
  std::string edge_id;
  int io_threads = 0;  // 0: one for each core.

  // From the accepted socket to the accepted token: a browser needs two round trips.
  absl::Duration open_time_limit = absl::Seconds(10);
  // Of TLS, within that: when everybody comes back at once, the last ones wait for some seconds.
  absl::Duration handshake_time_limit = absl::Seconds(10);
  // A request's headers, and within them. Real clients send under 2 KiB.
  absl::Duration header_time_limit = absl::Seconds(10);
  int header_bytes_limit = 8 * 1024;
  // For the body of a request: the largest message over a slow phone.
  absl::Duration body_time_limit = absl::Seconds(15);
  // Between two requests of a connection.
  absl::Duration idle_time_limit = absl::Seconds(60);

  // A message of a client: four times the largest content, so that JSON escapes fit.
  int64_t message_bytes_limit = 64 * 1024;
  // One of the two may be 0: any number, any time.
  int fragments_limit = 1024;
  absl::Duration message_time_limit = absl::Seconds(10);

  // From the WebSocket that is to take over a polling session to the end of the upgrade.
  absl::Duration upgrade_time_limit = absl::Seconds(10);

  absl::Duration ping_interval = absl::Seconds(25);
  absl::Duration ping_timeout = absl::Seconds(20);

  // Before a token's end, for its client to fetch another; 0: it is not told.
  absl::Duration token_lead = absl::Seconds(60);
  // From a token's end to the end of its connection.
  absl::Duration token_grace = absl::Seconds(25);

  // What waits for one slow reader: some 2,000 messages of 500 bytes, a page of history twice.
  int64_t outbox_bytes_limit = 1024 * 1024;
  // Of a reader that takes nothing while much waits for it: a phone that changes its cell is back
  // within that. 0: any time.
  absl::Duration stall_time_limit = absl::Seconds(10);
  // Of all frames that wait, each counted once: above it the largest outboxes are degraded. 0: none.
  int64_t outbox_budget = 256 * 1024 * 1024;
  int rooms_limit = 128;  // Rooms one connection is subscribed to; 0: any number.
  int64_t connections_limit = 200'000;
  int user_connections_limit = 10;  // The oldest goes when there is one more; 0: any number.

  // Of one address (IPv6: its /64 network); loopback has none of these without --trusted-proxies.
  int address_sessions_limit = 100;  // Engine.IO sessions and native sockets; 0: any number.
  std::string rate_opens = "20/100";
  int failed_logins_limit = 10;  // A minute, and at once; 0: any number.

  // Of all clients: when thousands come back at once, as many as the edge greets without making those
  // wait who are here already. The rest waits in the kernel's queue.
  std::string rate_accepts = "1000/2000";

  // "RATE/BURST" a second and connection (sends: a user), or "off".
  std::string rate_sends = "10/30";
  std::string rate_frames = "50/200";
  std::string rate_joins = "5/50";

  // From a command to its answer; longer than control's own 2.5 s.
  absl::Duration command_deadline = absl::Seconds(3);
  // A new connection waits so long for control to come back.
  absl::Duration connect_hold = absl::Seconds(10);

  // From TERM to the last client's close: those who come back are spread as evenly. 0: all at once.
  absl::Duration drain_time = absl::Seconds(30);

  // INVALID_ARGUMENT: names the option and what it may be.
  absl::Status Validate() const;
};

// Registers the options with their flags.
void AddEdgeFlags(process::ConfigLoader& loader, EdgeConfig& config);

}  // namespace confab::edge
