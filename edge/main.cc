// confab-edge: the sockets. Flags -> EdgeConfig -> Edge, until a signal.
#include <cstdio>
#include <exception>
#include <memory>
#include <string>

#include <absl/status/status.h>
#include <absl/time/time.h>

#include "edge/edge.h"
#include "edge/edge_end.h"
#include "process/config_loader.h"
#include "process/failpoint.h"
#include "process/log.h"
#include "process/metrics.h"
#include "process/ops_server.h"
#include "process/ready_file.h"
#include "process/server_flags.h"
#include "process/signals.h"

namespace {

using confab::edge::Edge;
using confab::edge::EdgeConfig;

// Without a drain. Less than what docker waits before it kills.
constexpr absl::Duration kStopTime = absl::Seconds(8);

// 2: the configuration is wrong and starting again would not help. 1: anything else.
int Fail(const absl::Status& status) {
  confab::process::FlushLog();
  std::fprintf(stderr, "confab-edge: %s\n", std::string(status.message()).c_str());
  return absl::IsInvalidArgument(status) || absl::IsNotFound(status) ? 2 : 1;
}

// Every option, as the command line, the environment and the file say it.
struct Options {
  Options() {
    confab::edge::AddEdgeFlags(loader, edge);
    confab::process::AddServerFlags(loader, server);
    loader.Example(
        "confab-edge --listen 0.0.0.0:8080 --control unix:/run/confab/control.sock "
        "--user-secret-file user.secret --service-secret-file service.secret",
        "one edge beside a control on the same host");
  }

  EdgeConfig edge;
  confab::process::ServerFlags server{.ops_listen = "127.0.0.1:8082", .ready_file = {}};
  confab::process::ConfigLoader loader{"confab-edge",
                                       "The edge of Confab: browsers talk WebSocket to it, it "
                                       "talks gRPC to control."};
};

// What is wrong is told by the edge.
void Reload(Edge& edge, const Options& running, int argc, char** argv) {
  Options fresh;
  const absl::StatusOr<bool> is_read = fresh.loader.Load(argc, argv);
  if (!is_read.ok()) {
    static_cast<void>(edge.Reload(is_read.status()));
  } else if (edge.Reload(fresh.edge).ok()) {
    confab::process::WarnOfRestart(fresh.loader, running.loader);
  }
}

int Serve(const Options& options, int argc, char** argv) {
  confab::process::Signals signals;
  const confab::process::ServerFlags& flags = options.server;
  confab::process::RemoveReadyFile(flags.ready_file);
  confab::process::Metrics metrics;
  Edge edge(options.edge, metrics, std::shared_ptr<grpc::Channel>());
  edge.SetDrainHook([] { confab::process::Signals::Wake(); });
  if (absl::Status status = edge.Start(); !status.ok()) return Fail(status);
  auto ops = confab::process::OpsServer::Start(flags.ops_listen, metrics);
  if (!ops.ok()) return Fail(ops.status());
  edge.AddChecks(**ops);
  (*ops)->SetStarted();
  const absl::Status written = confab::process::WriteReadyFile(
      flags.ready_file, {{"listen", edge.address()}, {"ops", (*ops)->address()}});
  if (!written.ok()) return Fail(written);
  confab::process::LogInfo("edge serves", {{"listen", edge.address()}, {"ops", (*ops)->address()}});

  const confab::edge::EdgeEnd end = confab::edge::AwaitEdgeEnd(
      signals, edge, options.edge.drain_time, [&] { Reload(edge, options, argc, argv); });
  (*ops)->SetStopping();
  confab::process::RemoveReadyFile(flags.ready_file);
  confab::edge::EndEdge(edge, signals, end, kStopTime);
  (*ops).reset();
  confab::process::LogInfo("stopped");
  confab::process::FlushLog();
  return 0;
}

int Run(int argc, char** argv) {
  Options options;
  const absl::StatusOr<bool> is_to_run = options.loader.Load(argc, argv);
  if (!is_to_run.ok()) return Fail(is_to_run.status());
  if (!*is_to_run) return 0;
  confab::process::InitLog("edge", options.server.log_level);
  for (const std::string& warning : options.loader.warnings()) {
    confab::process::LogWarn(warning);
  }
  const absl::Status armed = confab::process::ArmFailpointsByEnvironment();
  if (!armed.ok()) return Fail(armed);
  return Serve(options, argc, argv);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "confab-edge: %s\n", error.what());
    return 1;
  }
}
