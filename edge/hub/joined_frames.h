// joined_frames.h: the frames of a run of events, each encoded once; and the same behind one another in
// few shared frames, so that a socket's queue holds one of them, whose bytes go out as they stand.
// Measured by hub/burst_joined beside hub/burst_one_by_one.
// Owns: the frames until Clear.   Used by: hub.
// Threads: confined to the io thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "edge/connection/event_encoder.h"
#include "edge/hub/event_run.h"
#include "edge/transport/shared_frame.h"

namespace confab::edge {

class JoinedFrames {
 public:
  // Some 80 usual messages. What a slow reader is to lose goes frame by frame: no more than this at
  // once where less would have done.
  static constexpr std::size_t kBytesLimit = 32 * 1024;

  // `encoders_count`: one more than the greatest index of an encoder in use.
  explicit JoinedFrames(std::size_t encoders_count) : entries_(encoders_count) {}

  // The run stays as it is until Clear.
  void Begin(const EventRun& run);

  // All events that the encoder has a name for, in order, for one reader more. Each frame has the place
  // of its first event.
  const std::vector<SharedFrame>& ForReader(const EventEncoder& encoder);
  // Of one event; empty where the encoder has no name for it.
  const SharedFrame& Of(const EventEncoder& encoder, std::size_t event);
  // How many readers of the whole run have the event.
  std::size_t ReadersOf(std::size_t event) const;

  void Clear();

 private:
  struct Entry {
    std::vector<SharedFrame> singles;  // One for each event; empty vector: nothing is encoded yet.
    std::vector<SharedFrame> joined;
    std::size_t readers = 0;
  };

  Entry& EntryOf(const EventEncoder& encoder);
  void Join(Entry& entry);

  const EventRun* run_ = nullptr;
  std::vector<Entry> entries_;
  std::vector<std::size_t> made_;  // Few of many: not every dialect has a reader.
  std::string scratch_;
};

}  // namespace confab::edge
