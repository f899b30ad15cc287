// follow.h: reading a stream of control's until it ends, the user ends it, or enough was shown; it is
// begun again while control is away.
// Owns: nothing.   Used by: feed, message_tail, presence_watch.
// Threads: caller's; Ctrl-C is heard by Interrupt's own.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include "tools/confabctl/command_line.h"
#include "tools/confabctl/control_client.h"
#include "tools/confabctl/interrupt.h"

namespace confab::ctl {

class Following {
 public:
  // `count`: lines to show, 0: until it is interrupted.
  Following(Invocation& run, ControlClient& client, Interrupt& interrupt, uint64_t count)
      : run_(run), client_(client), interrupt_(interrupt), count_(count) {}

  // `read` reads one stream with `context` until is_done() or its end, calls Shown after each line,
  // and returns its Finish. `going_on`: what the user is told will be done when control is back.
  Exit Run(const std::function<grpc::Status(grpc::ClientContext& context)>& read,
           const std::function<std::string()>& going_on);

  void Shown() { ++shown_; }
  void Stop() { is_stopped_ = true; }  // The caller has a reason of its own.
  bool is_done() const { return is_stopped_ || (count_ > 0 && shown_ >= count_); }

 private:
  Invocation& run_;
  ControlClient& client_;
  Interrupt& interrupt_;
  const uint64_t count_;
  uint64_t shown_ = 0;
  bool is_stopped_ = false;
};

}  // namespace confab::ctl
