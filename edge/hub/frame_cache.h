// frame_cache.h: the frames of one event, signal or notification, each encoded when its first reader is met.
// Owns: the frames until Begin or Clear.   Used by: hub.
// Threads: confined to the io thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "confab/v1/edge_link.pb.h"

#include "edge/connection/event_encoder.h"
#include "edge/transport/shared_frame.h"

namespace confab::edge {

class FrameCache {
 public:
  // `encoders_count`: one more than the greatest index of an encoder in use.
  explicit FrameCache(std::size_t encoders_count) : entries_(encoders_count) {}

  // What is given must stay valid until Clear.
  void Begin(const v1::RoomEvent& event) {
    Clear();
    event_ = &event;
  }
  void Begin(const v1::Signal& signal) {
    Clear();
    signal_ = &signal;
  }
  void Begin(const v1::Notification& notification) {
    Clear();
    notification_ = &notification;
  }

  // Empty where the encoder has no name for it.
  const SharedFrame& Get(const EventEncoder& encoder) {
    Entry& entry = entries_[encoder.index()];
    if (!entry.is_made) {
      entry.is_made = true;
      made_.push_back(encoder.index());
      entry.frame = Encode(encoder);
    }
    return entry.frame;
  }

  void Clear() {
    for (const std::size_t index : made_) entries_[index] = Entry();
    made_.clear();
    event_ = nullptr;
    signal_ = nullptr;
    notification_ = nullptr;
  }

 private:
  SharedFrame Encode(const EventEncoder& encoder) {
    if (signal_ != nullptr) return encoder.Encode(*signal_, scratch_);
    if (notification_ != nullptr) return encoder.EncodeLogged(*notification_, scratch_);
    return encoder.EncodeLogged(event_->event(), event_->actor_email(), scratch_);
  }

  struct Entry {
    SharedFrame frame;
    bool is_made = false;
  };

  std::vector<Entry> entries_;
  std::vector<std::size_t> made_;  // Few of many: not every dialect has a reader.
  std::string scratch_;
  const v1::RoomEvent* event_ = nullptr;
  const v1::Signal* signal_ = nullptr;
  const v1::Notification* notification_ = nullptr;
};

}  // namespace confab::edge
