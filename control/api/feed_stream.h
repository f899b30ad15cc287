// feed_stream.h: one ReadFeed call: page after page, and at the end of the feed a look every 200 ms.
// Owns: itself (gone when gRPC is done with the call), the page that is being written.
// Used by: event_feed_service.
// Threads: any thread; one step at a time, `mu_` guards what a cancellation sees.
// Fails: ends with what refused a page; the caller reads on from its cursor.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <grpcpp/support/server_callback.h>

#include "confab/v1/event_feed_service.pb.h"

#include "control/dispatch/feed_calls.h"

namespace confab::control {

class FeedStream final : public grpc::ServerWriteReactor<v1::ReadFeedResponse> {
 public:
  // A hint could make it quicker; nothing that follows the feed is in a hurry.
  static constexpr absl::Duration kLookInterval = absl::Milliseconds(200);

  // `on_finish` is told how the call ended.
  FeedStream(FeedCalls feed, v1::ReadFeedRequest request,
             std::function<void(const absl::Status&)> on_finish);

  // `admitted` not OK: the call ends with it.
  void Start(const absl::Status& admitted);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  // What a page or a timer that comes late finds; outlives the stream.
  struct Life;
  class Waker;

  void FindStart();
  void ReadOn();
  void OnPage(absl::StatusOr<v1::ReadFeedResponse> page);
  void Wait();
  void End(const absl::Status& status);
  // False: it was cancelled, and has ended.
  bool GoesOn();

  FeedCalls feed_;
  const v1::ReadFeedRequest request_;
  const std::function<void(const absl::Status&)> on_finish_;
  const std::shared_ptr<Life> life_;
  std::string position_;
  v1::ReadFeedResponse page_;
  bool has_told_position_ = false;
};

}  // namespace confab::control
