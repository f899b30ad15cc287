// edge.h: sockets, protocols, tokens and fan-out as one object.
// Owns: the io threads with all that lives on them, the link to control.
// Used by: main, tools/confab, tests.   Threads: any thread, except Start, Reload and Stop (the owner's).
// Fails: Start says what to change. Control being away is no failure: it is waited for.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "edge/edge_config.h"

namespace grpc {
class Channel;
}
namespace confab::process {
class Metrics;
class OpsServer;
}  // namespace confab::process

namespace confab::edge {

class ControlLink;

class Edge {
 public:
  // `channel` leads to control within this process; null: config.control is dialled. `metrics`
  // outlives this object.
  Edge(EdgeConfig config, process::Metrics& metrics, std::shared_ptr<grpc::Channel> channel);
  // With a link of the caller's making; needs no gRPC.
  Edge(EdgeConfig config, process::Metrics& metrics, std::unique_ptr<ControlLink> link);
  ~Edge();  // Stops, if it runs.
  Edge(const Edge&) = delete;
  Edge& operator=(const Edge&) = delete;

  // Checks the configuration, listens, starts to look for control.
  // INVALID_ARGUMENT, NOT_FOUND: the configuration. FAILED_PRECONDITION: the address is taken.
  absl::Status Start();

  // Takes no new clients. Each one there is told when it has to go, in random order, evenly over
  // `time`; it is served until then, and closed with what it asked answered. Stop comes next, when
  // nobody is left or patience has ended.
  void BeginDrain(absl::Duration time);
  // What a drain has still before it.
  struct DrainFigures {
    std::size_t clients = 0;   // Sockets and polling sessions.
    std::size_t commands = 0;  // That wait for control.
    bool is_over = false;      // Nobody is left.
  };
  DrainFigures drain_figures() const;

  // Accepts no more, tells every client to come back, closes. Returns after `deadline` at the
  // latest.
  void Stop(absl::Duration deadline);

  // Reads the files of user tokens' keys and of the public port's certificate again: they hold for
  // new connections within a moment, those that are open stay. If anything is wrong with them all stays as it was; the log
  // and the status say what. FAILED_PRECONDITION: not started.
  absl::Status Reload();
  // The same, and the limits of `fresh` hold from now on (docs/limits.md says which); the rest of it
  // is not looked at. An error in place of it is told like any other.
  absl::Status Reload(const absl::StatusOr<EdgeConfig>& fresh);

  // "127.0.0.1:8080", the port as bound. REQUIRES: started.
  std::string address() const;

  // OK while control is attached.
  absl::Status Readiness() const;

  // Before Start: `wake` is called by any thread once control wants the edge to drain and end;
  // drain_wanted then says over how long.
  void SetDrainHook(std::function<void()> wake);
  std::optional<absl::Duration> drain_wanted() const;

  // Registers the checks of /readyz. `ops` ends before this object does.
  void AddChecks(process::OpsServer& ops) const;

 private:
  class Parts;
  using LinkMaker = std::function<absl::StatusOr<std::unique_ptr<ControlLink>>(const EdgeConfig&)>;

  Edge(EdgeConfig config, process::Metrics& metrics, LinkMaker make_link);

  std::unique_ptr<Parts> parts_;
};

}  // namespace confab::edge
