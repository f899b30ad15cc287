// attach_stream.h: one Attach call: batches out and in, both in order.
// Owns: the call, what waits to be sent.   Used by: grpc_control_link.
// Threads: any thread (guarded by `mu_`, which is never held while gRPC or the sink is called).
// Fails: whatever happens ends in WaitFor being true; a queue over its limit cancels the call.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include "confab/v1/edge_link.grpc.pb.h"

#include "edge/control_link/attach_queue.h"
#include "edge/control_link/control_link.h"
#include "process/mutex.h"

namespace confab::edge {

class AttachStream final : private grpc::ClientBidiReactor<v1::AttachRequest, v1::AttachResponse> {
 public:
  // As much as control keeps for an edge. Beyond it control has not read for long.
  static constexpr std::size_t kQueueBytesLimit = 32 * 1024 * 1024;

  AttachStream(std::uint64_t number, ControlLinkSink& sink);
  ~AttachStream() override = default;  // REQUIRES: the call has ended, if Open was called.

  std::uint64_t number() const { return number_; }

  // `token` may be empty. The sink hears OnStreamOpened before this returns.
  void Open(const std::shared_ptr<grpc::Channel>& channel, const std::string& token);
  void Announce(std::vector<v1::Hello> chunks);
  void Send(std::vector<v1::EdgeItem>& items);
  void Cancel() { context_.TryCancel(); }

  // True: the call has ended.
  bool WaitFor(std::chrono::milliseconds time);
  grpc::Status status() const;  // REQUIRES: it has.
  // A batch has been under way for longer than this: nobody takes it.
  bool IsStalledFor(std::chrono::milliseconds time) const;
  // Control has said something on it.
  bool has_answered() const;

 private:
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

  // True: writing_ is to be written. REQUIRES: it is empty, unless a write is under way.
  bool TakeBatch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Write();  // Without the lock.

  const std::uint64_t number_;
  ControlLinkSink& sink_;
  grpc::ClientContext context_;
  std::unique_ptr<v1::EdgeLinkService::Stub> stub_;
  std::shared_ptr<v1::AttachResponse> reading_;
  v1::AttachRequest writing_;  // The gRPC's while is_writing_.

  mutable process::Mutex mu_;
  std::condition_variable ended_;
  AttachQueue queue_ ABSL_GUARDED_BY(mu_);
  std::vector<v1::EdgeItem> early_
      ABSL_GUARDED_BY(mu_);  // Sent before the announcement: follows it.
  bool is_announced_ ABSL_GUARDED_BY(mu_) = false;
  bool is_writing_ ABSL_GUARDED_BY(mu_) = false;
  std::chrono::steady_clock::time_point write_began_ ABSL_GUARDED_BY(mu_);
  bool is_over_ ABSL_GUARDED_BY(mu_) =
      false;  // Nothing can be read any more: nothing is written either.
  bool has_answered_ ABSL_GUARDED_BY(mu_) = false;
  bool is_done_ ABSL_GUARDED_BY(mu_) = false;
  grpc::Status status_ ABSL_GUARDED_BY(mu_);
};

}  // namespace confab::edge
