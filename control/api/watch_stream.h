// watch_stream.h: one WatchPresence call: takes changes from lanes, writes them to gRPC.
// Owns: itself (gone when gRPC is done with the call), what waits to be written.
// Used by: presence_service.
// Threads: any thread (lanes and gRPC meet under `mu_`); calls out only after letting go of it.
// Fails: of a user only the newest change waits, so a slow caller costs one entry a user; above the
// limit of users the call ends with RESOURCE_EXHAUSTED.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include <absl/status/status.h>
#include <grpcpp/support/server_callback.h>

#include "confab/v1/presence_service.pb.h"

#include "control/presence/presence_sink.h"

namespace confab::control {

class WatchStream final : public grpc::ServerWriteReactor<v1::WatchPresenceResponse> {
 public:
  // Users whose change waits for a caller that does not read; some 20 MB.
  static constexpr size_t kWaitingLimit = 100'000;
  // Of one message: at most some 200 KB.
  static constexpr size_t kMessageLimit = 500;

  // `on_finish` is told how the call ended.
  explicit WatchStream(std::function<void(const absl::Status&)> on_finish);

  void Refuse(const absl::Status& why) { sink()->End(why); }
  // What the lanes hold; outlives the stream.
  std::shared_ptr<PresenceSink> sink() const;

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  class Writer;
  ~WatchStream() override;

  const std::shared_ptr<Writer> writer_;
};

}  // namespace confab::control
