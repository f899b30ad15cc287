// stream_writer.h: the writing half of a call that is answered by several responses: one write at a
// time, then the end. What waits between two writes, and its limit, is whoever derives from it.
// Owns: the response that is being written.   Used by: response_stream, tail_stream, watch_stream.
// Threads: any thread (guarded by `mu_`); calls out only after letting go of it.
// Fails: never; the first end that is given is how the call ends.
#pragma once

#include <functional>
#include <optional>
#include <utility>

#include <absl/base/thread_annotations.h>
#include <absl/status/status.h>
#include <grpcpp/support/server_callback.h>

#include "control/api/grpc_status.h"
#include "process/mutex.h"

namespace confab::control {

template <typename Response>
class StreamWriter {
 public:
  using Stream = grpc::ServerWriteReactor<Response>;

  // `on_finish` is told how the call ended.
  StreamWriter(Stream* stream, std::function<void(const absl::Status&)> on_finish)
      : stream_(stream), on_finish_(std::move(on_finish)) {}
  StreamWriter(const StreamWriter&) = delete;
  StreamWriter& operator=(const StreamWriter&) = delete;

 protected:
  ~StreamWriter() = default;

  // Takes what is to be written next; false: nothing waits. `next` holds what was written last.
  virtual bool Fill(Response& next) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) = 0;

  // What waits is still written, then the call ends so.
  void SetEnd(absl::Status why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (!end_.has_value()) end_ = std::move(why);
  }
  bool has_ended() const ABSL_SHARED_LOCKS_REQUIRED(mu_) { return end_.has_value(); }
  bool is_writing() const ABSL_SHARED_LOCKS_REQUIRED(mu_) { return is_writing_; }

  // Starts what can be started now. At most one write or the finish is under way; whoever starts it
  // has said so under the lock before, so that the stream lives until that returns.
  void Advance(bool is_write_done) ABSL_LOCKS_EXCLUDED(mu_) {
    std::optional<absl::Status> end;
    {
      const process::MutexLock lock(mu_);
      if (is_write_done) is_writing_ = false;
      if (is_writing_ || is_finished_) return;
      if (Fill(writing_)) {
        is_writing_ = true;
      } else if (end_.has_value()) {
        is_finished_ = true;
        end = end_;
      } else {
        return;
      }
    }
    if (end.has_value()) {
      on_finish_(*end);
      stream_->Finish(ToGrpc(*end));
    } else {
      stream_->StartWrite(&writing_);
    }
  }

  mutable process::Mutex mu_;

 private:
  Stream* const stream_;  // Not to be touched once is_finished_.
  const std::function<void(const absl::Status&)> on_finish_;
  Response writing_;  // Belongs to gRPC while is_writing_.
  bool is_writing_ ABSL_GUARDED_BY(mu_) = false;
  bool is_finished_ ABSL_GUARDED_BY(mu_) = false;
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mu_);
};

}  // namespace confab::control
