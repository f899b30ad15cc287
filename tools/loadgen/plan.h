// plan.h: who is in which room, who sends, and when: all that a scenario is, as numbers.
// Members are numbered 0, 1, 2 … through all rooms; each is one user with one connection.
// Threads: immutable values; Pacer is confined to the run.
#pragma once

#include <cstdint>

#include <absl/status/statusor.h>

namespace confab::loadgen {

enum class Scenario { kFanout, kPairs, kChat, kDurable, kIdle, kHandshake };

const char* NameOf(Scenario scenario);

// One machine has no more sockets than that.
inline constexpr uint32_t kMembersLimit = 1'000'000;

struct Plan {
  uint32_t rooms = 1;
  uint32_t members_per_room = 1;
  uint32_t senders_per_room = 0;  // The first ones of each room.
  uint32_t window = 0;            // Messages of a sender that may be on their way; 0: by `rate`.
  double rate = 0;                // Messages a second and sender; 0: by `window`.

  uint32_t members() const { return rooms * members_per_room; }
  uint32_t senders() const { return rooms * senders_per_room; }
  uint32_t RoomOf(uint32_t member) const { return member / members_per_room; }
  uint32_t FirstMemberOf(uint32_t room) const { return room * members_per_room; }
  bool Sends(uint32_t member) const { return member % members_per_room < senders_per_room; }
  // REQUIRES: Sends(member).
  uint32_t SenderOf(uint32_t member) const {
    return RoomOf(member) * senders_per_room + member % members_per_room;
  }
  uint32_t MemberOfSender(uint32_t sender) const {
    return FirstMemberOf(sender / senders_per_room) + sender % senders_per_room;
  }
};

// What the command line says of a scenario; each uses some of it.
struct PlanOptions {
  uint32_t members = 0;    // fanout, idle, handshake, and users of pairs and chat.
  uint32_t rooms = 0;      // durable, idle, handshake.
  uint32_t room_size = 0;  // pairs, chat.
  uint32_t senders = 0;    // fanout.
  uint32_t window = 0;     // fanout, pairs, durable.
  double rate = 0;         // chat.
};

// INVALID_ARGUMENT names the option and says what it may be.
absl::StatusOr<Plan> MakePlan(Scenario scenario, const PlanOptions& options);

// When senders send by rate: evenly spread, one after the other. Times are nanoseconds.
class Pacer {
 public:
  Pacer(const Plan& plan, int64_t begin);

  int64_t due() const;  // Of the next send.
  uint32_t sender() const { return static_cast<uint32_t>(turn_ % senders_); }
  void Advance() { ++turn_; }

 private:
  uint32_t senders_;
  double step_;
  int64_t begin_;
  uint64_t turn_ = 0;
};

}  // namespace confab::loadgen
