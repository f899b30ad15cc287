// response_stream.h: a call that is answered by several responses: what is given is written in
// order, one write at a time, and the next is asked for when all is written.
// Owns: what waits to be written.   Used by: message_service.
// Threads: any thread (guarded by mu_); gRPC's reactions come one at a time.
// Fails: a caller that goes away is told to whoever writes.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <absl/base/thread_annotations.h>
#include <absl/status/status.h>
#include <grpcpp/support/server_callback.h>

#include "control/api/grpc_status.h"
#include "process/mutex.h"

namespace confab::control {

// Outlives the stream: held by whoever makes the responses.
template <typename Response>
class ResponseSink {
 public:
  using Stream = grpc::ServerWriteReactor<Response>;

  ResponseSink(Stream* stream, std::function<void(const absl::Status&)> on_finish)
      : stream_(stream), on_finish_(std::move(on_finish)) {}

  // False: the caller is gone; it is of no use to go on.
  bool Write(Response response) {
    {
      const process::MutexLock lock(mu_);
      if (is_finished_ || end_.has_value()) return false;
      waiting_.push_back(std::move(response));
    }
    Advance(false);
    return true;
  }

  // What was given before is written first.
  void End(absl::Status why) {
    {
      const process::MutexLock lock(mu_);
      if (!end_.has_value()) end_ = std::move(why);
    }
    Advance(false);
  }

  void Cancel() {
    {
      const process::MutexLock lock(mu_);
      if (!end_.has_value()) end_ = absl::CancelledError("the caller is gone");
      waiting_.clear();
    }
    Advance(false);
  }

  // True: everything is written and more may come.
  bool OnWriteDone(bool ok) {
    if (!ok) Cancel();
    Advance(true);
    const process::MutexLock lock(mu_);
    return !is_writing_ && !is_finished_ && !end_.has_value();
  }

 private:
  // Whoever starts a write or the finish has said so under the lock before, so the stream lives
  // until that returns.
  void Advance(bool is_write_done) {
    std::optional<absl::Status> end;
    {
      const process::MutexLock lock(mu_);
      if (is_write_done) is_writing_ = false;
      if (is_writing_ || is_finished_) return;
      if (!waiting_.empty()) {
        is_writing_ = true;
        writing_ = std::move(waiting_.front());
        waiting_.pop_front();
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

  Stream* const stream_;  // Not to be touched once is_finished_.
  const std::function<void(const absl::Status&)> on_finish_;
  Response writing_;  // Belongs to gRPC while is_writing_.
  process::Mutex mu_;
  std::deque<Response> waiting_ ABSL_GUARDED_BY(mu_);
  bool is_writing_ ABSL_GUARDED_BY(mu_) = false;
  bool is_finished_ ABSL_GUARDED_BY(mu_) = false;
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mu_);
};

// Deletes itself when the call is over.
template <typename Response>
class ResponseStream final : public grpc::ServerWriteReactor<Response> {
 public:
  explicit ResponseStream(std::function<void(const absl::Status&)> on_finish)
      : sink_(std::make_shared<ResponseSink<Response>>(this, std::move(on_finish))) {}

  const std::shared_ptr<ResponseSink<Response>>& sink() const { return sink_; }
  // Called when all that was given is written. REQUIRES: before the first Write.
  void OnIdle(std::function<void()> idle) { idle_ = std::move(idle); }

  void OnWriteDone(bool ok) override {
    if (sink_->OnWriteDone(ok) && idle_) idle_();
  }
  void OnCancel() override { sink_->Cancel(); }
  void OnDone() override { delete this; }

 private:
  const std::shared_ptr<ResponseSink<Response>> sink_;
  std::function<void()> idle_;
};

}  // namespace confab::control
