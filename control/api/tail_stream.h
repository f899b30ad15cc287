// tail_stream.h: one TailEvents call: takes events from the room's lane, writes them to gRPC.
// Owns: itself (gone when gRPC is done with the call), the tail, what waits to be written.
// Used by: message_service.
// Threads: any thread (lane and gRPC meet under `mu_`); calls out only after letting go of it.
// Fails: a caller that reads too slowly stops the tail, which goes on from the log later.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include <absl/status/status.h>
#include <grpcpp/support/server_callback.h>

#include "confab/v1/message_service.pb.h"

#include "control/dispatch/dispatcher_types.h"

namespace confab::control {

class TailStream final : public grpc::ServerWriteReactor<v1::TailEventsResponse> {
 public:
  // What waits for a slow reader: a page of the log. Beyond it the tail pauses.
  static constexpr size_t kWaitingBytesLimit = 256 * 1024;

  // `on_finish` is told how the call ended.
  explicit TailStream(std::function<void(const absl::Status&)> on_finish);

  // Exactly one of the two is called, before the stream is given to gRPC.
  void Refuse(const absl::Status& why);
  void Follow(std::unique_ptr<Tail> tail);

  // Where the tail puts its events; may outlive this object.
  std::shared_ptr<TailSink> sink() const;

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  class Sink;
  ~TailStream() override;

  const std::shared_ptr<Sink> sink_;
  std::unique_ptr<Tail> tail_;
};

}  // namespace confab::control
