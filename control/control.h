// control.h: everything that is true, as one object: store, lanes, gRPC server.
// Owns: all parts of control.   Used by: main, tools/confab, tests.
// Threads: any thread, except Start and Stop (the owner's).
// Fails: Start says what to change; the loss of the active lock calls on_fatal.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <absl/status/status.h>
#include <absl/time/time.h>

#include "control/control_config.h"

namespace grpc {
class Channel;
}
namespace confab::process {
class Metrics;
class OpsServer;
}  // namespace confab::process

namespace confab::control {

struct ControlHooks {
  // Called once, when this control has become the active one and serves. Any thread.
  std::function<void()> on_active;
  // The process cannot go on (the active lock was lost): log, exit with 1. Restart is cheap.
  // Called at most once, on a thread of Control; may not return.
  std::function<void(const absl::Status&)> on_fatal;
  // Name of the edge that runs in this process and ends together with it; empty: there is none.
  std::string edge_within = {};
};

class Control {
 public:
  // `metrics` outlives this object.
  Control(ControlConfig config, process::Metrics& metrics, ControlHooks hooks);
  ~Control();  // Stops, if it runs.
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  // Checks the configuration, listens and goes on in the background: opens the store, waits
  // for the active lock, serves. Until then every call is refused as UNAVAILABLE.
  // INVALID_ARGUMENT, NOT_FOUND: the configuration. FAILED_PRECONDITION: the address is taken.
  absl::Status Start();

  // Takes no more calls, commits and answers what is under way, ends streams. Returns after
  // `deadline` at the latest.
  void Stop(absl::Duration deadline);

  // Reads the TLS files again. Calls under way stay, and after an error so do the files in use; the
  // log and the status say what is wrong. FAILED_PRECONDITION: not started.
  absl::Status Reload();

  // Where gRPC is served, with the real port: "127.0.0.1:8081" or "unix:/run/confab.sock". A
  // client can dial it as it stands. REQUIRES: started.
  std::string address() const;

  // A channel without sockets, for an edge in the same process; needs no token to attach.
  // REQUIRES: started.
  std::shared_ptr<grpc::Channel> InProcessChannel();

  bool is_active() const;

  // OK while this control is active and the store answers; else says what is missing.
  absl::Status Readiness() const;

  // Registers the checks of /readyz. `ops` ends before this object does.
  void AddChecks(process::OpsServer& ops) const;

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace confab::control
