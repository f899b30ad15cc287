// recording_edge_stream.h: an EdgeStream that keeps what it is given.
// Owns: the items.   Used by: tests of control.
// Threads: any thread (guarded by `mu_`).
// Fails: waiting longer than 10 s is the test's failure.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "control/fanout/edge_stream.h"

namespace confab::control {

class RecordingEdgeStream : public EdgeStream {
 public:
  using EdgeStream::Send;
  uint64_t Send(ItemBatch batch) override;
  size_t queued_bytes() const override;
  void Close(absl::Status why) override;

  std::vector<v1::ControlItem> items() const;
  std::vector<v1::ControlItem> ItemsFrom(size_t from) const;
  // Short forms in order: "event 3 hi", "member_removed 4 bob", "result 7 ok", "result 8
  // NOT_A_MEMBER", "subscribe 1 room:a 3", "unsubscribe room:a user bob 4", "member user:ann a",
  // "signal user:ann,user:bob presence eve online", "direct 7 snapshot bob", "notify role:x sale#0",
  // "inbox 7 0-3".
  std::vector<std::string> lines() const;
  // Those from `from` on.
  std::vector<std::string> LinesFrom(size_t from) const;
  size_t size() const;

  // The result of that request, once it is there.
  v1::Result AwaitResult(uint64_t request);
  // Waits until one of the lines is that. False after 10 s.
  bool AwaitLine(const std::string& line);
  bool AwaitSize(size_t size);

  void SetQueuedBytes(size_t bytes);
  std::optional<absl::Status> closed() const;

 private:
  bool Await(const std::function<bool()>& is_true);

  mutable std::mutex mu_;
  std::condition_variable changed_;
  std::vector<v1::ControlItem> items_;
  uint64_t subscribes_ = 0;
  size_t queued_bytes_ = 0;
  std::optional<absl::Status> closed_;
};

// Short forms: "typing a ann true", "presence ann online", "read a ann 4", "snapshot bob eve".
std::string LineOf(const v1::Signal& signal);
// The short form of one item.
std::string LineOf(const v1::ControlItem& item);

}  // namespace confab::control
