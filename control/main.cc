// confab-control: options, log, Control, until a signal.
#include <cstdlib>
#include <iostream>
#include <string>

#include "control/control.h"
#include "control/control_config.h"
#include "process/config_loader.h"
#include "process/log.h"
#include "process/metrics.h"
#include "process/ops_server.h"
#include "process/ready_file.h"
#include "process/signals.h"

namespace {

using confab::control::Control;
using confab::control::ControlConfig;
using confab::control::ControlHooks;

// Batches under way are committed within 1.5 s; the rest is for answers and streams.
constexpr absl::Duration kStopLimit = absl::Seconds(10);

struct Options {
  ControlConfig control;
  std::string ops_listen = "127.0.0.1:8083";
  std::string ready_file;
  std::string log_level = "info";
};

void Describe(confab::process::ConfigLoader& loader, Options& options) {
  AddControlFlags(loader, options.control);
  loader.Add("ops-listen", &options.ops_listen,
             "where /livez, /readyz?verbose and /metrics are served", "Operation");
  loader.Add("ready-file", &options.ready_file,
             "written as JSON {pid, control, ops} once this control is active", "Operation");
  loader.Add("log-level", &options.log_level, "debug, info, warn or error", "Operation")
      .OneOf({"debug", "info", "warn", "error"});
  loader.Example("confab-control --service-secret-file service.secret",
                 "SQLite under ./data, gRPC on 127.0.0.1:8081");
  loader.Example(
      "confab-control --store postgresql://confab@db/confab --control-listen unix:/run/confab.sock "
      "--service-secret-file service.secret",
      "PostgreSQL, for edges on this host");
}

int Refuse(const absl::Status& why) {
  std::cerr << "confab-control: " << why.message() << std::endl;
  return EXIT_FAILURE;
}

// Nothing that was acked hangs on an orderly end, and the next process takes over at once.
[[noreturn]] void EndNow(const absl::Status& why) {
  confab::process::LogError("control ends", {{"error", std::string(why.message())}});
  confab::process::FlushLog();
  std::_Exit(EXIT_FAILURE);
}

int Serve(const Options& options, confab::process::Signals& signals) {
  confab::process::Metrics metrics;
  Control* running = nullptr;
  confab::process::OpsServer* ops_server = nullptr;
  ControlHooks hooks;
  hooks.on_fatal = EndNow;
  hooks.on_active = [&] {
    ops_server->SetStarted();
    const absl::Status written = confab::process::WriteReadyFile(
        options.ready_file, {{"control", running->address()}, {"ops", ops_server->address()}});
    if (!written.ok()) EndNow(written);
  };
  auto ops = confab::process::OpsServer::Start(options.ops_listen, metrics);
  if (!ops.ok()) return Refuse(ops.status());
  ops_server = ops->get();
  Control control(options.control, metrics, hooks);
  running = &control;
  if (const absl::Status started = control.Start(); !started.ok()) return Refuse(started);
  control.AddChecks(**ops);
  while (signals.Wait() != confab::process::Signal::kTerminate) {
    confab::process::LogInfo("HUP: nothing to reload so far");
  }
  signals.LetSecondSignalKill();
  confab::process::LogInfo("control stops");
  confab::process::RemoveReadyFile(options.ready_file);
  ops->reset();
  control.Stop(kStopLimit);
  confab::process::LogInfo("control has stopped");
  confab::process::FlushLog();
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  confab::process::Signals signals;
  Options options;
  confab::process::ConfigLoader loader(
      "confab-control", "Confab's control service: rooms, members, order and persistence.");
  Describe(loader, options);
  const absl::StatusOr<bool> run = loader.Load(argc, argv);
  if (!run.ok()) return Refuse(run.status());
  if (!*run) return EXIT_SUCCESS;
  confab::process::InitLog("control", options.log_level);
  for (const std::string& warning : loader.warnings()) confab::process::LogWarn(warning);
  confab::process::RemoveReadyFile(options.ready_file);
  return Serve(options, signals);
}
