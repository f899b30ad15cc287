#include "control/control_config.h"

#include <fmt/format.h>

#include "control/api/grpc_address.h"
#include "process/config_loader.h"
#include "storage/read_pointer.h"

namespace confab::control {
namespace {

absl::Status OutOfBounds(const char* option, const char* allowed) {
  return absl::InvalidArgumentError(fmt::format("{}: allowed is {}", option, allowed));
}

}  // namespace

absl::Status ControlConfig::Validate() const {
  const auto address = ParseGrpcAddress("control-listen", control_listen, control_tls.is_given());
  if (!address.ok()) return address.status();
  if (control_tls.is_given() && address->is_unix) {
    return absl::InvalidArgumentError(
        "--control-tls-cert: TLS is for HOST:PORT; a Unix socket is guarded by its mode");
  }
  if (store.empty()) return OutOfBounds("store", "sqlite:PATH or postgresql://…");
  if (service_secret_file.empty()) {
    return absl::InvalidArgumentError(
        "service-secret-file is not set: control checks the tokens of services, edges and "
        "confabctl with it. Make one with: (umask 077; openssl rand -base64 48 > service.secret)");
  }
  if (lanes < 0 || lanes > 256) return OutOfBounds("lanes", "0 (one for each core) to 256");
  if (readers < 1 || readers > 64) return OutOfBounds("readers", "1 to 64");
  if (control_id.size() > 128) return OutOfBounds("control-id", "at most 128 bytes");
  return absl::OkStatus();
}

void AddControlFlags(process::ConfigLoader& loader, ControlConfig& config) {
  constexpr char kGroup[] = "Control";
  loader.Add(
      "control-listen", &config.control_listen,
      "where gRPC is served: HOST:PORT (port 0: any free one; on loopback, unless with TLS) or "
      "unix:PATH, made with mode 0600",
      kGroup);
  loader.Add("control-tls-cert", &config.control_tls.cert,
             "PEM certificate of control: gRPC with mutual TLS, on any address", kGroup);
  loader.Add("control-tls-key", &config.control_tls.key, "its private key", kGroup);
  loader.Add("control-tls-client-ca", &config.control_tls.ca,
             "PEM certificates of who signs those of edges, services and confabctl", kGroup);
  loader.Add("store", &config.store,
             "sqlite:PATH or postgresql://USER@HOST/DATABASE; the directory of PATH is made",
             kGroup);
  loader.Add("service-secret-file", &config.service_secret_file,
             "file with the HS256 secret of service tokens, at least 32 bytes", kGroup);
  loader.Add("control-id", &config.control_id,
             "name towards edges and in logs (default: host name and process id)", kGroup);
  loader.Add("lanes", &config.lanes, "threads that decide (0: one for each core)", kGroup)
      .Range(0, 256);
  loader.Add("readers", &config.readers, "threads and connections that read the store", kGroup)
      .Range(1, 64);
  loader
      .Add("edge-lease", &config.edge_lease,
           "users of an edge that is not heard are gone after this long", kGroup)
      .Range(absl::Seconds(1), absl::Hours(1));
  loader
      .Add("client-heartbeat", &config.client_heartbeat,
           "users whose clients' own heartbeats are missing are gone after this long", kGroup)
      .Range(absl::Seconds(1), absl::Hours(1));
  loader
      .Add("offline-delay", &config.offline_delay,
           "a user is offline so long after the last connection", kGroup)
      .Range(absl::ZeroDuration(), absl::Hours(1));
  loader
      .Add("presence-settle", &config.presence_settle,
           "nobody is told of presence so long after the start, while edges come back", kGroup)
      .Range(absl::ZeroDuration(), absl::Hours(1));
  loader
      .Add("receipt-members", &config.receipt_members,
           "rooms of at most so many members are told how far each has read", kGroup)
      .Range(0, storage::PointerOutcome::kMembersCounted - 1);
  loader.Add("grpc-reflection", &config.grpc_reflection,
             "serve gRPC reflection, for grpcurl and the like", kGroup);
  loader.Add("allow-unsafe-durability", &config.allow_unsafe_durability,
             "accept a database that may lose committed messages in a power cut", kGroup);
}

}  // namespace confab::control
