// sample_batch.h: messages of 200 bytes as a store is given them, each into another room than the one
// before.
// Threads: caller serialises.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <absl/types/span.h>

#include "storage/records.h"

namespace confab::control {

class SampleBatch {
 public:
  static constexpr int kRooms = 100;

  explicit SampleBatch(int size) {
    for (int i = 0; i < size; ++i) {
      storage::AppendRequest& request = requests_.emplace_back();
      storage::NewEvent& event = request.events.emplace_back();
      event.actor = {storage::UserId("user-" + std::to_string(i % 50)), "A name", ""};
      event.dedup.space = storage::DedupKey::Space::kClient;
      event.type = "text";
      event.content = std::string(200, 'x');
    }
  }

  static storage::RoomId RoomOf(int64_t number) {
    return storage::RoomId("room-" + std::to_string(number % kRooms));
  }

  // The next messages, with keys and ids of their own.
  absl::Span<const storage::AppendRequest> Next() {
    for (storage::AppendRequest& request : requests_) {
      request.room = RoomOf(++number_);
      const std::string digits = std::to_string(100'000'000'000 + number_);
      request.events[0].dedup.key = "client-message-" + digits;
      request.events[0].message_id = "01890a5d-ac96-774b-bcce-" + digits;
    }
    return requests_;
  }

 private:
  std::vector<storage::AppendRequest> requests_;
  int64_t number_ = 0;
};

}  // namespace confab::control
