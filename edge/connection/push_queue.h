// push_queue.h: notifications that wait before the outbox of one connection: by priority, of each
// key the newest, none beyond its time. Pure.
// Owns: the frames that wait.   Used by: notification_outlet.
// Threads: confined to the io thread.
// Fails: never; over the limit the least important go.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <utility>

#include <absl/container/flat_hash_map.h>

#include "edge/transport/outbox.h"
#include "edge/transport/shared_frame.h"

namespace confab::edge {

enum class PushPriority : std::uint8_t { kHigh = 0, kNormal = 1, kLow = 2 };

struct WaitingPush {
  SharedFrame frame;
  PushPriority priority = PushPriority::kNormal;
  DeliveryClass delivery = DeliveryClass::kDroppable;
  std::string key;           // Of kLatest; empty: nothing takes its place.
  std::uint64_t number = 0;  // That its offset has, if it has one.
  // Where one of its key waits: not in its place, but behind all others.
  bool goes_last = false;
  std::chrono::steady_clock::time_point expires_at = std::chrono::steady_clock::time_point::max();
};

class PushQueue {
 public:
  // A reader that is this far behind is not told everything: a quarter of an outbox. Keys and the
  // memory around each frame count: without them 4,096 tiny frames of long keys were some 3 MB.
  static constexpr std::size_t kBytesLimit = 256 * 1024;

  // What went untold since it was last asked.
  struct Dropped {
    std::size_t over_limit = 0;
    std::size_t expired = 0;
  };

  // Waits behind those of its priority. One whose key waits takes its place there, unless it goes
  // last. A low one is gathered until Release.
  void Push(WaitingPush push);
  // What was gathered may go.
  void Release();
  // The next to go; nullopt: none may. What has expired is dropped.
  std::optional<WaitingPush> Take(std::chrono::steady_clock::time_point now);

  bool empty() const { return count_ == 0; }
  bool has_gathered() const { return !lists_[kGathered].empty(); }
  std::size_t bytes() const { return bytes_; }
  Dropped TakeDropped() { return std::exchange(dropped_, {}); }

 private:
  struct Entry {
    WaitingPush push;
    std::size_t list = 0;
  };
  using List = std::list<Entry>;
  static constexpr std::size_t kGathered = 3;  // Behind the three priorities.

  static std::size_t CostOf(const WaitingPush& push);
  void Erase(List::iterator entry);
  void KeepLimits();
  void DropOne();

  std::array<List, 4> lists_;
  absl::flat_hash_map<std::string, List::iterator> keys_;
  std::size_t bytes_ = 0;
  std::size_t count_ = 0;
  Dropped dropped_;
};

}  // namespace confab::edge
