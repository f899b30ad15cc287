// confab: edge and control in one process, joined by gRPC's in-process channel. The quick start,
// and all that a small installation needs.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "control/control.h"
#include "control/control_config.h"
#include "edge/auth/user_keys.h"
#include "edge/edge.h"
#include "edge/edge_config.h"
#include "edge/edge_end.h"
#include "edge/edge_tls.h"
#include "process/config_loader.h"
#include "process/failpoint.h"
#include "process/jwt.h"
#include "process/log.h"
#include "process/metrics.h"
#include "process/ops_server.h"
#include "process/ready_file.h"
#include "process/server_flags.h"
#include "process/signals.h"
#include "tools/confab/dialect_command.h"

namespace confab {
namespace {

// Exit codes, as scripts see them.
constexpr int kStopped = 0;
constexpr int kFailed = 1;
constexpr int kWrongConfig = 2;

// Without a drain clients are told to come back within this; then control commits what is under way
// within that. Docker's usual 10 s hold both.
constexpr absl::Duration kEdgeStopLimit = absl::Seconds(6);
constexpr absl::Duration kControlStopLimit = absl::Seconds(3);

// While starting: how often readiness is looked at between two signals.
constexpr absl::Duration kReadyInterval = absl::Milliseconds(20);

// Checks user tokens where no option says what does.
constexpr char kUserSecretFile[] = "data/user.secret";

// The edge's name where no option says one: control has to know it before the edge has a port.
constexpr char kEdgeId[] = "confab";

struct Config {
  edge::EdgeConfig edge;
  control::ControlConfig control;
  process::ServerFlags server;
};

void AddFlags(process::ConfigLoader& loader, Config& config) {
  config.control.service_secret_file = "data/service.secret";
  config.edge.service_secret_file = config.control.service_secret_file;
  config.server.ops_listen = "127.0.0.1:8082";
  // Its own edge's sockets end with the process: there is nobody to wait for.
  config.control.presence_settle = absl::ZeroDuration();
  edge::AddEdgeFlags(loader, config.edge);
  control::AddControlFlags(loader, config.control);
  process::AddServerFlags(loader, config.server);
  loader.Drop("control");  // It is in here.
  loader.Drop("control-tls-ca");
  loader.Example("confab",
                 "chat on http://127.0.0.1:8080, messages in ./data/confab.db, "
                 "secrets in ./data/user.secret and ./data/service.secret");
  loader.Example("confab --listen 127.0.0.1:0 --ready-file /tmp/confab.json",
                 "for a script: any free port, told in a file");
  loader.Example("confab --store postgresql://confab@db.internal/confab", "messages in PostgreSQL");
  loader.Example("confab dialect check mine.json",
                 "what a file of --dialect-dir maps to (confab dialect --help)");
  loader.Example(
      "confabctl --control 127.0.0.1:8081 --service-secret-file data/service.secret "
      "room create lobby --members alice,bob",
      "a room for two, by the CLI");
}

int Refuse(const absl::Status& status) {
  process::FlushLog();
  std::fprintf(stderr, "confab: %s\n", std::string(status.message()).c_str());
  return absl::IsInvalidArgument(status) || absl::IsNotFound(status) ? kWrongConfig : kFailed;
}

// Everything that is wrong with the configuration, before anything is started: a first run lacks
// both secrets, and should have to be told once.
absl::Status CheckConfig(const Config& config) {
  std::vector<absl::Status> faults = {config.edge.Validate(), config.control.Validate(),
                                      edge::LoadUserKeys(config.edge).status(),
                                      edge::LoadEdgeTls(config.edge).status()};
  const std::string& services = config.control.service_secret_file;
  if (!services.empty()) faults.push_back(process::JwtKey::FromSecretFile(services).status());
  std::string all;
  for (const absl::Status& fault : faults) {
    if (fault.ok()) continue;
    all += (all.empty() ? "" : "\nconfab: ") + std::string(fault.message());
  }
  return all.empty() ? absl::OkStatus() : absl::InvalidArgumentError(all);
}

// Until control is active and the edge attached, or somebody wants the process to end.
bool AwaitReady(process::Signals& signals, const edge::Edge& edge,
                const control::Control& control) {
  while (!control.is_active() || !edge.Readiness().ok()) {
    if (signals.Wait(kReadyInterval) == process::Signal::kTerminate) return false;
  }
  return true;
}

// The configuration, with what is assumed where nothing is said, and where it came from.
struct Options {
  Options() { AddFlags(loader, config); }

  // As ConfigLoader::Load.
  absl::StatusOr<bool> Load(int argc, const char* const* argv) {
    absl::StatusOr<bool> is_to_run = loader.Load(argc, argv);
    if (config.edge.user_keys_file.empty() && config.edge.user_secret_file.empty()) {
      config.edge.user_secret_file = kUserSecretFile;
    }
    if (config.edge.edge_id.empty()) config.edge.edge_id = kEdgeId;
    return is_to_run;
  }

  Config config;
  process::ConfigLoader loader{
      "confab",
      "Confab in one process: chat over WebSocket for browsers (edge), rooms and messages kept in "
      "SQLite or\nPostgreSQL (control), gRPC for services and confabctl.\n"
      "Exit codes: 0 stopped by a signal, 1 failed, 2 the configuration is wrong."};
};

// Edge and control tell each what is wrong.
void Reload(edge::Edge& edge, control::Control& control, const Options& running, int argc,
            char** argv) {
  Options fresh;
  const absl::StatusOr<bool> is_read = fresh.Load(argc, argv);
  if (!is_read.ok()) {
    static_cast<void>(edge.Reload(is_read.status()));
  } else if (edge.Reload(fresh.config.edge).ok()) {
    process::WarnOfRestart(fresh.loader, running.loader);
  }
  static_cast<void>(control.Reload());
}

int Serve(process::Signals& signals, const Options& options, int argc, char** argv) {
  const Config& config = options.config;
  process::RemoveReadyFile(config.server.ready_file);
  process::Metrics metrics;
  auto ops = process::OpsServer::Start(config.server.ops_listen, metrics);
  if (!ops.ok()) return Refuse(ops.status());

  control::ControlHooks hooks;
  hooks.edge_within = config.edge.edge_id;
  hooks.on_fatal = [&config](const absl::Status& status) {
    process::LogError("control cannot go on", {{"why", std::string(status.message())}});
    process::RemoveReadyFile(config.server.ready_file);
    process::FlushLog();
    std::_Exit(kFailed);
  };
  control::Control control(config.control, metrics, std::move(hooks));
  if (absl::Status status = control.Start(); !status.ok()) return Refuse(status);
  edge::Edge edge(config.edge, metrics, control.InProcessChannel());
  edge.SetDrainHook([] { process::Signals::Wake(); });
  if (absl::Status status = edge.Start(); !status.ok()) return Refuse(status);
  control.AddChecks(**ops);
  edge.AddChecks(**ops);

  // Of a start that somebody ended: nobody was let in yet.
  edge::EdgeEnd end{.drain_time = absl::ZeroDuration(), .is_signalled = true};
  if (AwaitReady(signals, edge, control)) {
    (*ops)->SetStarted();
    absl::Status written = process::WriteReadyFile(
        config.server.ready_file,
        {{"listen", edge.address()}, {"control", control.address()}, {"ops", (*ops)->address()}});
    if (!written.ok()) return Refuse(written);
    process::LogInfo(
        "confab serves",
        {{"listen", edge.address()}, {"control", control.address()}, {"ops", (*ops)->address()}});
    end = edge::AwaitEdgeEnd(signals, edge, config.edge.drain_time,
                             [&] { Reload(edge, control, options, argc, argv); });
  }

  process::RemoveReadyFile(config.server.ready_file);
  (*ops)->SetStopping();
  edge::EndEdge(edge, signals, end, kEdgeStopLimit);
  control.Stop(kControlStopLimit);
  ops->reset();
  process::LogInfo("stopped");
  return kStopped;
}

int Main(int argc, char** argv) {
  process::Signals signals;
  Options options;
  const absl::StatusOr<bool> is_to_run = options.Load(argc, argv);
  if (!is_to_run.ok()) return Refuse(is_to_run.status());
  if (!*is_to_run) return kStopped;
  if (absl::Status checked = CheckConfig(options.config); !checked.ok()) return Refuse(checked);
  process::InitLog("confab", options.config.server.log_level);
  for (const std::string& warning : options.loader.warnings()) process::LogWarn(warning);
  const absl::Status armed = process::ArmFailpointsByEnvironment();
  if (!armed.ok()) return Refuse(armed);
  const int code = Serve(signals, options, argc, argv);
  process::FlushLog();
  return code;
}

}  // namespace
}  // namespace confab

int main(int argc, char** argv) {
  try {
    if (argc > 1 && std::string_view(argv[1]) == "dialect") {
      return confab::RunDialectCommand(std::span<char* const>(argv + 2, argv + argc));
    }
    return confab::Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "confab: %s\n", error.what());
    return confab::kFailed;
  }
}
