#include "tools/confabctl/follow.h"

#include <algorithm>
#include <ostream>

#include <absl/time/time.h>
#include <fmt/format.h>

namespace confab::ctl {
namespace {

constexpr absl::Duration kRetryMin = absl::Milliseconds(200);
constexpr absl::Duration kRetryMax = absl::Seconds(2);

}  // namespace

Exit Following::Run(const std::function<grpc::Status(grpc::ClientContext& context)>& read,
                    const std::function<std::string()>& going_on) {
  absl::Duration pause = kRetryMin;
  while (true) {
    const uint64_t before = shown_;
    grpc::ClientContext context;
    client_.Prepare(context);
    interrupt_.Set([&context] { context.TryCancel(); });
    const grpc::Status status = read(context);
    interrupt_.Set(nullptr);
    if (is_done() || interrupt_.came()) return Exit::kDone;
    if (!IsBroken(status) && status.error_code() != grpc::StatusCode::UNAVAILABLE) {
      return status.ok() ? Exit::kDone : client_.Explain(status);
    }
    if (shown_ > before) pause = kRetryMin;
    if (pause == kRetryMin) {
      run_.streams.err << fmt::format(
                              "confabctl: control is away; {} when it is back (Ctrl-C ends)",
                              going_on())
                       << std::endl;
    }
    if (!interrupt_.Wait(pause)) return Exit::kDone;
    pause = std::min(pause * 2, kRetryMax);
  }
}

}  // namespace confab::ctl
