// response_stream.h: a call that is answered by several responses: what is given is written in
// order, one write at a time, and the next is asked for when all is written.
// Owns: what waits to be written.   Used by: message_service.
// Threads: any thread (guarded by mu_); gRPC's reactions come one at a time.
// Fails: a caller that goes away is told to whoever writes.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <utility>

#include <absl/status/status.h>
#include <grpcpp/support/server_callback.h>

#include "control/api/stream_writer.h"

namespace confab::control {

// Outlives the stream: held by whoever makes the responses.
template <typename Response>
class ResponseSink final : private StreamWriter<Response> {
 public:
  using StreamWriter<Response>::StreamWriter;

  // False: the caller is gone; it is of no use to go on.
  bool Write(Response response) {
    {
      const process::MutexLock lock(this->mu_);
      if (this->has_ended()) return false;
      waiting_.push_back(std::move(response));
    }
    this->Advance(false);
    return true;
  }

  // What was given before is written first.
  void End(absl::Status why) {
    {
      const process::MutexLock lock(this->mu_);
      this->SetEnd(std::move(why));
    }
    this->Advance(false);
  }

  void Cancel() {
    {
      const process::MutexLock lock(this->mu_);
      this->SetEnd(absl::CancelledError("the caller is gone"));
      waiting_.clear();
    }
    this->Advance(false);
  }

  // True: everything is written and more may come.
  bool OnWriteDone(bool ok) {
    if (!ok) Cancel();
    this->Advance(true);
    const process::MutexLock lock(this->mu_);
    return !this->is_writing() && !this->has_ended();
  }

 private:
  bool Fill(Response& next) override {
    if (waiting_.empty()) return false;
    next = std::move(waiting_.front());
    waiting_.pop_front();
    return true;
  }

  std::deque<Response> waiting_;  // Guarded by mu_.
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
