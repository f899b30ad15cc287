// ops_server.h: /livez, /readyz (?verbose) and /metrics over HTTP on a port of their own.
// Owns: its thread, its listener and a bounded number of connections.   Used by: main.
// Threads: any thread; checks run on the server's own thread and must answer at once.
// Fails: Start with INVALID_ARGUMENT (address) or UNAVAILABLE (port taken); later never.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "process/metrics.h"

namespace confab::process {

struct OpsLimits {
  // Probes and scrapers are few; what comes beyond waits in the kernel's queue.
  int connections = 32;
  // For reading the request and for writing the answer, each: a silent peer holds its place so
  // long.
  absl::Duration wait = absl::Seconds(5);
};

class OpsServer {
 public:
  // `listen` is HOST:PORT; port 0 takes any free one. `metrics` must outlive the server. Until
  // SetStarted() was called /readyz answers 503.
  static absl::StatusOr<std::unique_ptr<OpsServer>> Start(const std::string& listen,
                                                          const Metrics& metrics,
                                                          OpsLimits limits = {});
  ~OpsServer();  // Stops listening and joins the thread.
  OpsServer(const OpsServer&) = delete;
  OpsServer& operator=(const OpsServer&) = delete;

  // All checks must be OK for /readyz to answer 200. `check` must stay callable until
  // RemoveCheck(name) returned or the server is gone.
  void AddCheck(std::string_view name, std::function<absl::Status()> check);
  void RemoveCheck(std::string_view name);

  // The process has finished starting (the ready file is about to be written).
  void SetStarted();

  // The process is about to stop: /readyz answers 503 from now on and asks no check.
  void SetStopping();

  // "127.0.0.1:43211", the port as bound.
  std::string address() const;

 private:
  class Listener;
  explicit OpsServer(std::unique_ptr<Listener> listener);
  std::unique_ptr<Listener> listener_;
};

}  // namespace confab::process
