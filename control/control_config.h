// control_config.h: every option of control with its default, unit and bound.
// Threads: immutable once Control has it.
#pragma once

#include <cstdint>
#include <string>

#include <absl/status/status.h>
#include <absl/time/time.h>

#include "process/tls_material.h"

namespace confab::process {
class ConfigLoader;
}

namespace confab::control {

struct ControlConfig {
  // Where gRPC is served: HOST:PORT (port 0: any free one; on loopback, unless with TLS), or
  // unix:PATH, made with mode 0600.
  std::string control_listen = "127.0.0.1:8081";
  // PEM files: with them gRPC is served with mutual TLS, on any address. All three or none; read
  // again on HUP.
  process::TlsFiles control_tls;
  // "sqlite:PATH" or "postgresql://…". The directory of PATH is made if it is missing.
  std::string store = "sqlite:./data/confab.db";
  // HS256 secret of service tokens, at least 32 bytes.
  std::string service_secret_file;
  // Name of this process towards edges and in logs; empty: host name and process id.
  std::string control_id;
  int lanes = 0;  // 0: one for each core.
  // Connections and threads that read for cache misses and pages.
  int readers = 8;
  bool grpc_reflection = false;
  bool allow_unsafe_durability = false;

  // How long the connections of an edge that is not heard are counted on; it says so three times
  // as often.
  absl::Duration edge_lease = absl::Seconds(45);
  // A client that has a heartbeat of its own is away without one for so long.
  absl::Duration client_heartbeat = absl::Seconds(60);
  // A user is offline so long after the last connection: a page that is loaded anew makes no news.
  absl::Duration offline_delay = absl::Seconds(5);
  // Nobody is told of presence so long after the start, while edges that were attached to another
  // control come back.
  absl::Duration presence_settle = absl::Seconds(45);
  // Rooms of more members are not told how far somebody has read; 0: none is.
  int receipt_members = 50;

  // How often a standby asks for the lock, and an active control whether it still holds it.
  absl::Duration lock_interval = absl::Milliseconds(500);
  // Between attempts to open the store: doubles from the first to the second.
  absl::Duration store_retry_min = absl::Milliseconds(500);
  absl::Duration store_retry_max = absl::Seconds(10);

  // A request is small: content is at most 16 KiB, a batch of 1,000 members 140 KiB, a chunk of
  // Hello 512 KiB. An answer holds at most a page of 256 KiB, or a stream batch.
  int receive_bytes_limit = 1024 * 1024;
  int send_bytes_limit = 4 * 1024 * 1024;
  int streams_limit = 100;  // Concurrent calls of one connection.
  // Both sides ping, so that a dead peer is noticed within interval + timeout.
  absl::Duration keepalive_interval = absl::Seconds(10);
  absl::Duration keepalive_timeout = absl::Seconds(5);

  // INVALID_ARGUMENT: names the option and what it may be.
  absl::Status Validate() const;
};

// Registers the options with their flags.
void AddControlFlags(process::ConfigLoader& loader, ControlConfig& config);

}  // namespace confab::control
