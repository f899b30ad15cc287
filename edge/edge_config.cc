#include "edge/edge_config.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <tuple>

#include <fmt/format.h>

#include "edge/auth/client_address.h"
#include "edge/connection/rate_limit.h"
#include "edge/dialect/dialect_set.h"
#include "edge/hub/topic_table.h"
#include "edge/protocol/socketio_codec.h"
#include "process/config_loader.h"
#include "process/listen_address.h"

namespace confab::edge {

namespace {

absl::Status Refuse(std::string_view flag, std::string_view allowed) {
  return absl::InvalidArgumentError(fmt::format("--{} {}", flag, allowed));
}

absl::Status CheckRate(std::string_view flag, const std::string& text) {
  if (RateLimit::Parse(text).ok()) return absl::OkStatus();
  return Refuse(flag, fmt::format("must be RATE/BURST (such as 10/30) or off, not {}", text));
}

// One encoder and connection for each that a client joins; programs know a handful.
constexpr std::size_t kNamespacesLimit = 16;

// A comma would end the name on the wire.
bool IsNamespace(std::string_view name) {
  return name.starts_with('/') && name.size() <= kSocketIoNamespaceBytesLimit &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return c > ' ' && c <= '~' && c != ','; });
}

absl::Status CheckNamespaces(const std::vector<std::string>& names) {
  const std::set<std::string_view> different(names.begin(), names.end());
  if (names.empty() || names.size() > kNamespacesLimit || different.size() < names.size()) {
    return Refuse("namespaces", fmt::format("must be 1 to {} different names", kNamespacesLimit));
  }
  for (const std::string& name : names) {
    if (IsNamespace(name)) continue;
    return Refuse("namespaces",
                  fmt::format("must be names such as / or /chat, at most {} printable characters "
                              "without blanks, not \"{}\"",
                              kSocketIoNamespaceBytesLimit, name));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status EdgeConfig::Validate() const {
  const absl::StatusOr<process::ListenAddress> address = process::ParseListenAddress(listen);
  if (!address.ok()) return Refuse("listen", std::string(address.status().message()));
  if (tls_cert_file.empty() != tls_key_file.empty()) {
    return Refuse(tls_cert_file.empty() ? "tls-cert" : "tls-key",
                  "is missing: TLS needs --tls-cert and --tls-key");
  }
  if (user_secret_file.empty() && user_keys_file.empty()) {
    return Refuse("user-secret-file",
                  "or --user-keys-file is required: the HS256 secret of user tokens, or their "
                  "issuer's public keys (JWKS)");
  }
  if (user_id_claims.empty()) {
    return Refuse("token-user-id", "needs a claim: a user token must say whose it is");
  }
  const absl::StatusOr<ProxyTrust> proxies = ProxyTrust::Create(trusted_proxies);
  if (!proxies.ok()) return Refuse("trusted-proxies", std::string(proxies.status().message()));
  if (proxy_protocol && trusted_proxies.empty()) {
    return Refuse("proxy-protocol", "needs --trusted-proxies: whose word is believed");
  }
  const absl::StatusOr<DialectSet> dialects = DialectSet::Load(dialect_dir);
  if (!dialects.ok()) return dialects.status();
  if (dialects->Find(dialect) == nullptr) {
    return Refuse("dialect", fmt::format("knows no {}; there is: {}", dialect, dialects->Names()));
  }
  for (const std::string& name : recovery) {
    if (dialects->Find(name) != nullptr) continue;
    return Refuse("recovery", fmt::format("knows no {}; there is: {}", name, dialects->Names()));
  }
  if (absl::Status status = CheckNamespaces(namespaces); !status.ok()) return status;
  const bool is_path = socketio_path.size() > 2 && socketio_path.starts_with('/') &&
                       socketio_path.ends_with('/') &&
                       socketio_path.find_first_of("?#% \t\r\n") == std::string::npos;
  if (!is_path) {
    return Refuse("socketio-path", "must begin and end with a slash, such as /socket.io/");
  }
  if (io_threads < 0 || io_threads > static_cast<int>(TopicTable::kThreadsLimit)) {
    return Refuse("io-threads", fmt::format("must be 0 to {}", TopicTable::kThreadsLimit));
  }
  if (message_bytes_limit < 20 * 1024 || message_bytes_limit > 1024 * 1024) {
    return Refuse("message-bytes", "must be 20KiB (one message of the largest content) to 1MiB");
  }
  if (fragments_limit == 0 && message_time_limit == absl::ZeroDuration()) {
    return Refuse("fragments",
                  "and --message-time cannot both be off: empty fragments would never end");
  }
  if (outbox_bytes_limit < 4 * message_bytes_limit || outbox_bytes_limit > 1024 * 1024 * 1024) {
    return Refuse("outbox-bytes", "must be at least four times --message-bytes, and up to 1GiB");
  }
  if (outbox_budget != 0 && outbox_budget < outbox_bytes_limit) {
    return Refuse("outbox-budget", "must be at least --outbox-bytes, or off");
  }
  for (const auto& [flag, text] :
       {std::pair<std::string_view, const std::string&>("rate-sends", rate_sends),
        {"rate-frames", rate_frames},
        {"rate-joins", rate_joins},
        {"rate-accepts", rate_accepts},
        {"rate-new-connections", rate_opens}}) {
    if (absl::Status status = CheckRate(flag, text); !status.ok()) return status;
  }
  return absl::OkStatus();
}

void AddEdgeFlags(process::ConfigLoader& loader, EdgeConfig& config) {
  loader.Add("listen", &config.listen, "where clients connect (port 0: any free one)", "Edge")
      .Placeholder("HOST:PORT");
  loader
      .Add("tls-cert", &config.tls_cert_file,
           "PEM certificate of the public port, its chain behind it: clients come over TLS (https, "
           "wss); read again on HUP",
           "Edge")
      .Placeholder("FILE");
  loader.Add("tls-key", &config.tls_key_file, "its private key; read again on HUP", "Edge")
      .Placeholder("FILE");
  loader
      .Add("control", &config.control,
           "where control serves gRPC: unix:PATH or HOST:PORT; a list is tried in turn", "Edge")
      .Placeholder("ADDRESS,...");
  loader
      .Add("control-tls-cert", &config.control_tls.cert,
           "PEM certificate of this edge: control is dialled with mutual TLS, on any host", "Edge")
      .Placeholder("FILE");
  loader.Add("control-tls-key", &config.control_tls.key, "its private key", "Edge")
      .Placeholder("FILE");
  loader
      .Add("control-tls-ca", &config.control_tls.ca, "PEM certificates of who signs control's",
           "Edge")
      .Placeholder("FILE");
  loader
      .Add("user-keys-file", &config.user_keys_file,
           "JWKS document with the keys of user tokens: RS256, ES256, EdDSA, HS256; read again on "
           "HUP",
           "Edge")
      .Placeholder("FILE");
  loader
      .Add("user-secret-file", &config.user_secret_file,
           "file with the HS256 secret of user tokens, 32 bytes or more", "Edge")
      .Placeholder("FILE");
  loader
      .Add("service-secret-file", &config.service_secret_file,
           "file with the HS256 secret of service tokens, 32 bytes or more", "Edge")
      .Placeholder("FILE");
  loader.Add("token-issuer", &config.token_issuer, "iss that user tokens must have", "Edge");
  loader.Add("token-audience", &config.token_audience, "aud that user tokens must have", "Edge");
  for (const auto& [flag, claims, help] :
       {std::tuple("token-user-id", &config.user_id_claims,
                   "claims that may hold the user's id; the first that a token has counts"),
        std::tuple("token-name", &config.name_claims, "likewise the name that others see"),
        std::tuple("token-email", &config.email_claims, "likewise the e-mail address"),
        std::tuple("token-role", &config.role_claims,
                   "likewise the role outside of rooms, for pushes to all who have it")}) {
    loader.Add(flag, claims, help, "Edge").Placeholder("CLAIM,...");
  }
  loader.Add("allowed-origins", &config.allowed_origins,
             "origins of web pages that may connect, * for all", "Edge");
  loader
      .Add("trusted-proxies", &config.trusted_proxies,
           "proxies whose X-Forwarded-For says who a client is", "Edge")
      .Placeholder("CIDR,...");
  loader.Add("proxy-protocol", &config.proxy_protocol,
             "those proxies begin each connection with the PROXY protocol, version 1 or 2", "Edge");
  loader.Add("dialect", &config.dialect, "how Socket.IO clients name events", "Edge");
  loader
      .Add("dialect-dir", &config.dialect_dir, "directory with dialects of your own, *.json",
           "Edge")
      .Placeholder("DIR");
  loader
      .Add("recovery", &config.recovery,
           "dialects whose clients have a lost session back with all that it missed (Socket.IO's "
           "connection state recovery; each event has an offset then)",
           "Edge")
      .Placeholder("DIALECT,...");
  loader
      .Add("recovery-time", &config.recovery_time, "from a session's loss, to have it back", "Edge")
      .Range(absl::Seconds(1), absl::Hours(1));
  loader.Add("namespaces", &config.namespaces, "Socket.IO namespaces that clients may join", "Edge")
      .Placeholder("/NAME,...");
  loader.Add("socketio-path", &config.socketio_path, "where Socket.IO clients connect", "Edge")
      .Placeholder("/PATH/");
  loader.Add("edge-id", &config.edge_id,
             "name of this edge (default: host name and port; of confab's own: confab)", "Edge");
  loader.Add("io-threads", &config.io_threads, "threads with a loop (0: one for each core)", "Edge")
      .Range(0, static_cast<double>(TopicTable::kThreadsLimit));
  loader
      .Add("drain-time", &config.drain_time,
           "over which clients are closed when the edge ends (off: all at once)", "Edge")
      .Range(absl::ZeroDuration(), absl::Hours(1))
      .AllowOff();

  constexpr std::string_view kLimits = "Edge limits";
  loader.Add("open-time", &config.open_time_limit, "from accept to the accepted token", kLimits)
      .Range(absl::Milliseconds(100), absl::Minutes(10))
      .NeverOff("who shows no token would keep a socket for ever")
      .Reloads();
  loader.Add("tls-handshake-time", &config.handshake_time_limit, "for the TLS handshake", kLimits)
      .Range(absl::Milliseconds(100), absl::Minutes(10))
      .NeverOff("who does not end it would keep a socket for ever")
      .Reloads();
  loader.Add("header-time", &config.header_time_limit, "for a request's headers", kLimits)
      .Range(absl::Milliseconds(100), absl::Minutes(10))
      .NeverOff("who does not end them would keep a socket for ever")
      .Reloads();
  loader.Add("body-time", &config.body_time_limit, "for a request's body", kLimits)
      .Range(absl::Milliseconds(100), absl::Minutes(10))
      .NeverOff("who does not end it would keep a socket for ever")
      .Reloads();
  loader
      .Add("idle-time", &config.idle_time_limit, "between two HTTP requests of a connection",
           kLimits)
      .Range(absl::Milliseconds(100), absl::Minutes(10))
      .NeverOff("who asks nothing more would keep a socket for ever")
      .Reloads();
  loader.Add("header-bytes", &config.header_bytes_limit, "of a request's headers", kLimits)
      .Range(1024, 8 * 1024)
      .Bytes()
      .NeverOff("a stranger would say how much memory they take")
      .Reloads();
  loader.Add("message-bytes", &config.message_bytes_limit, "of one message of a client", kLimits)
      .Bytes()
      .NeverOff("its client would say how much memory it takes")
      .Reloads();
  loader.Add("fragments", &config.fragments_limit, "of one message of a client", kLimits)
      .Range(1, 65'536)
      .AllowOff()
      .Reloads();
  loader
      .Add("message-time", &config.message_time_limit, "from a message's first byte to its last",
           kLimits)
      .Range(absl::Seconds(1), absl::Minutes(10))
      .AllowOff()
      .Reloads();
  loader
      .Add("upgrade-time", &config.upgrade_time_limit, "for the upgrade of polling to a WebSocket",
           kLimits)
      .Range(absl::Milliseconds(250), absl::Minutes(10))
      .NeverOff("a session would stand between two transports for ever")
      .Reloads();
  loader.Add("ping-interval", &config.ping_interval, "between heartbeats", kLimits)
      .Range(absl::Milliseconds(250), absl::Minutes(10))
      .NeverOff("who is gone without a word would stay online for ever");
  loader.Add("ping-timeout", &config.ping_timeout, "for the answer to a heartbeat", kLimits)
      .Range(absl::Milliseconds(250), absl::Minutes(10))
      .NeverOff("who is gone without a word would stay online for ever");
  loader
      .Add("token-expiring-before", &config.token_lead,
           "a token's end its client is told of it (off: never)", kLimits)
      .Range(absl::ZeroDuration(), absl::Hours(24))
      .AllowOff()
      .Reloads();
  loader
      .Add("token-grace", &config.token_grace, "from a token's end to the end of its connection",
           kLimits)
      .Range(absl::ZeroDuration(), absl::Hours(1))
      .NeverOff("no token would ever end a connection")
      .Reloads();
  loader
      .Add("outbox-bytes", &config.outbox_bytes_limit, "that may wait for one slow reader", kLimits)
      .Bytes()
      .NeverOff("a slow reader would say how much memory it takes")
      .Reloads();
  loader
      .Add("outbox-budget", &config.outbox_budget,
           "that all slow readers together may keep waiting, each frame counted once", kLimits)
      .Bytes()
      .AllowOff()
      .Reloads();
  loader
      .Add("stall-time", &config.stall_time_limit,
           "after which a reader that takes nothing is closed", kLimits)
      .Range(absl::Seconds(1), absl::Minutes(10))
      .AllowOff()
      .Reloads();
  loader
      .Add("rooms-per-connection", &config.rooms_limit, "one connection may subscribe to", kLimits)
      .Range(1, 10'000)
      .AllowOff()
      .Reloads();
  loader.Add("connections", &config.connections_limit, "of this edge", kLimits)
      .Range(1, 10'000'000)
      .NeverOff("an edge refuses clients before its descriptors are used up")
      .Reloads();
  loader
      .Add("connections-per-user", &config.user_connections_limit,
           "of this edge; one more replaces the oldest", kLimits)
      .Range(1, 1'000'000)
      .AllowOff()
      .Reloads();
  loader
      .Add("connections-per-address", &config.address_sessions_limit,
           "sessions of one client address; one more is refused", kLimits)
      .Range(1, 1'000'000)
      .AllowOff()
      .Reloads();
  loader
      .Add("rate-new-connections", &config.rate_opens,
           "sessions that one client address opens, RATE/BURST or off", kLimits)
      .Reloads();
  loader
      .Add("rate-accepts", &config.rate_accepts,
           "TCP connections that the edge accepts, RATE/BURST or off; others wait", kLimits)
      .Reloads();
  loader
      .Add("failed-logins", &config.failed_logins_limit,
           "tokens of one client address that are refused, a minute", kLimits)
      .Range(1, 1'000'000)
      .AllowOff()
      .Reloads();
  loader.Add("rate-sends", &config.rate_sends, "messages of a user, RATE/BURST or off", kLimits)
      .Reloads();
  loader
      .Add("rate-frames", &config.rate_frames, "commands of a connection, RATE/BURST or off",
           kLimits)
      .Reloads();
  loader.Add("rate-joins", &config.rate_joins, "joins of a connection, RATE/BURST or off", kLimits)
      .Reloads();
  loader.Add("command-deadline", &config.command_deadline, "from a command to its answer", kLimits)
      .Range(absl::Milliseconds(500), absl::Minutes(1))
      .NeverOff("every command gets an answer");
  loader
      .Add("connect-hold", &config.connect_hold,
           "that a new connection waits for control to come back", kLimits)
      .Range(absl::Milliseconds(250), absl::Minutes(1))
      .NeverOff("a client that waits is told to come back")
      .Reloads();
}

}  // namespace confab::edge
