// confab-control: flags -> ControlConfig -> Control, until a signal.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "control/control.h"
#include "control/control_config.h"
#include "process/config_loader.h"
#include "process/failpoint.h"
#include "process/log.h"
#include "process/metrics.h"
#include "process/ops_server.h"
#include "process/ready_file.h"
#include "process/server_flags.h"
#include "process/signals.h"

namespace confab::control {
namespace {

// Batches under way are committed within 1.5 s; the rest is for answers and streams.
constexpr absl::Duration kStopLimit = absl::Seconds(8);

// 2: the configuration is wrong and starting again would not help. 1: anything else.
int CodeOf(const absl::Status& why) {
  return absl::IsInvalidArgument(why) || absl::IsNotFound(why) ? 2 : 1;
}

int Refuse(const absl::Status& why) {
  process::FlushLog();
  std::fprintf(stderr, "confab-control: %s\n", std::string(why.message()).c_str());
  return CodeOf(why);
}

// Nothing that was acked hangs on an orderly end, and the next process takes over at once.
[[noreturn]] void EndNow(const absl::Status& why, const std::string& ready_file) {
  process::LogError("control ends", {{"error", std::string(why.message())}});
  process::RemoveReadyFile(ready_file);
  process::FlushLog();
  std::_Exit(CodeOf(why));
}

int Serve(const ControlConfig& config, const process::ServerFlags& flags,
          process::Signals& signals) {
  process::RemoveReadyFile(flags.ready_file);
  process::Metrics metrics;
  auto ops = process::OpsServer::Start(flags.ops_listen, metrics);
  if (!ops.ok()) return Refuse(ops.status());
  Control* started = nullptr;
  ControlHooks hooks;
  hooks.on_fatal = [&](const absl::Status& why) { EndNow(why, flags.ready_file); };
  hooks.on_active = [&] {
    (*ops)->SetStarted();
    const absl::Status written = process::WriteReadyFile(
        flags.ready_file, {{"control", started->address()}, {"ops", (*ops)->address()}});
    if (!written.ok()) EndNow(written, flags.ready_file);
  };
  Control control(config, metrics, hooks);
  started = &control;
  if (const absl::Status status = control.Start(); !status.ok()) return Refuse(status);
  control.AddChecks(**ops);

  for (;;) {
    const process::Signal signal = signals.Wait();
    if (signal == process::Signal::kTerminate) break;
    // It has said what was wrong.
    if (signal == process::Signal::kReload) static_cast<void>(control.Reload());
  }
  signals.LetSecondSignalKill();
  process::LogInfo("stopping");
  process::RemoveReadyFile(flags.ready_file);
  (*ops)->SetStopping();
  control.Stop(kStopLimit);
  ops->reset();
  process::LogInfo("stopped");
  process::FlushLog();
  return EXIT_SUCCESS;
}

int Main(int argc, char** argv) {
  process::Signals signals;
  ControlConfig config;
  process::ServerFlags flags;
  flags.ops_listen = "127.0.0.1:8083";
  process::ConfigLoader loader(
      "confab-control",
      "Confab's control service: rooms, members, order and persistence.\n"
      "Exit codes: 0 stopped by a signal, 1 failed, 2 the configuration is wrong.");
  AddControlFlags(loader, config);
  process::AddServerFlags(loader, flags);
  loader.Example("confab-control --service-secret-file service.secret",
                 "SQLite under ./data, gRPC on 127.0.0.1:8081");
  loader.Example(
      "confab-control --store postgresql://confab@db.internal/confab "
      "--control-listen unix:/run/confab/control.sock --service-secret-file service.secret",
      "PostgreSQL, for edges on this host");
  const absl::StatusOr<bool> is_to_run = loader.Load(argc, argv);
  if (!is_to_run.ok()) return Refuse(is_to_run.status());
  if (!*is_to_run) return EXIT_SUCCESS;
  process::InitLog("control", flags.log_level);
  for (const std::string& warning : loader.warnings()) process::LogWarn(warning);
  const absl::Status armed = process::ArmFailpointsByEnvironment();
  if (!armed.ok()) return Refuse(armed);
  return Serve(config, flags, signals);
}

}  // namespace
}  // namespace confab::control

int main(int argc, char** argv) {
  try {
    return confab::control::Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "confab-control: %s\n", error.what());
    return EXIT_FAILURE;
  }
}
