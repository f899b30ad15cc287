// edge_calls.h: what operators ask of edges.
// Owns: nothing.   Used by: api.
// Threads: any thread.
// Fails: UNAVAILABLE while control does not serve or an act cannot be recorded, NOT_FOUND for an
// edge that is not attached.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "control/dispatch/dispatcher.h"
#include "control/room/room_calls.h"

namespace confab::control {

struct EdgeTold {};

class EdgeCalls {
 public:
  static constexpr absl::Duration kDrainTimeLimit = absl::Hours(1);

  explicit EdgeCalls(Dispatcher& dispatcher) : dispatcher_(dispatcher) {}

  // In order of their names.
  absl::StatusOr<std::vector<std::shared_ptr<Attachment>>> List() const;
  // Tells the edge to drain over that time; zero: what it is configured for. The act stands in the
  // audit table before: the edge within confab takes this process along. What is not recorded is
  // not done.
  void Drain(const std::string& edge_id, absl::Duration time, const Asker& asker, Deadline deadline,
             Callback<EdgeTold> done);

 private:
  Dispatcher& dispatcher_;
};

}  // namespace confab::control
