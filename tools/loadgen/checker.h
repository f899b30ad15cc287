// checker.h: holds every message of a run against what must come of it: acknowledged once,
// delivered to everybody in its room once, in order and without a gap.
// Owns: what is still to come, and where each member is in its room's log.
// Used by: traffic.
// Threads: caller serialises. Pure: time is a parameter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <unordered_map>
#include <vector>

#include "tools/loadgen/message_mark.h"
#include "tools/loadgen/plan.h"

namespace confab::loadgen {

struct Faults {
  uint64_t lost = 0;         // Deliveries of stored messages that never came.
  uint64_t doubled = 0;      // Deliveries that came again, under any seq.
  uint64_t disordered = 0;   // Came after a later one, or was numbered before an earlier one.
  uint64_t missing = 0;      // Seqs that a member was never told, while later ones were.
  uint64_t corrupt = 0;      // Content that nobody sent.
  uint64_t strayed = 0;      // Deliveries of another room.
  uint64_t misnumbered = 0;  // Acknowledged with another seq than delivered.
  uint64_t unanswered = 0;   // Neither acknowledged nor refused.

  uint64_t sum() const {
    return lost + doubled + disordered + missing + corrupt + strayed + misnumbered + unanswered;
  }
};

class Checker {
 public:
  explicit Checker(const Plan& plan);

  // The member hears what comes behind `last_seq` from now on.
  void OnJoined(uint32_t member, int64_t last_seq);
  // Nothing is expected of it any more; what it was still to get is no loss.
  void OnLeft(uint32_t member);

  // Returns the message's number. `sent_at` comes back with each step of it.
  uint64_t OnSent(uint32_t sender, int64_t sent_at);

  struct Step {
    bool counts = false;     // False: a fault, or nothing of ours.
    bool completes = false;  // Nothing more is to come of this message.
    int64_t sent_at = 0;
  };
  Step OnAcked(uint32_t sender, uint64_t number, int64_t seq);
  // Not known to be stored: it need not come, and may.
  Step OnRefused(uint32_t sender, uint64_t number);
  Step OnDelivered(uint32_t member, int64_t seq, const MessageMark& mark);
  // What is no message, or none that was sent.
  void OnOtherEvent(uint32_t member, int64_t seq) { Advance(member, seq); }
  void OnCorrupt(uint32_t member, int64_t seq);
  void OnStrayed() { ++faults_.strayed; }

  // Messages of which something is to come.
  uint64_t open() const { return open_; }
  // Those of one sender.
  uint32_t open_of(uint32_t sender) const { return senders_[sender].open; }

  // So far: without what may still come.
  const Faults& faults() const { return faults_; }
  // In the end: what has not come is lost.
  Faults Finish() const;

 private:
  struct Message {
    int64_t sent_at = 0;
    int64_t seq = 0;  // 0: not known yet.
    uint32_t due = 0;
    uint32_t delivered = 0;
    bool is_acked = false;
    bool is_refused = false;

    bool is_settled() const { return is_acked || is_refused; }
    bool is_complete() const { return is_refused || (is_acked && delivered >= due); }
  };
  // Messages from number `base` on; the complete ones at the front are let go.
  struct Sender {
    std::vector<Message> messages;
    size_t head = 0;
    uint64_t base = 0;
    int64_t last_seq = 0;  // Of the last one that was let go.
    uint32_t open = 0;

    uint64_t next() const { return base + (messages.size() - head); }
    Message* Find(uint64_t number);
  };
  struct Position {
    int64_t last_seq = 0;
    bool is_live = false;
  };
  enum class Arrival { kNext, kAgain, kIgnored };

  Arrival Advance(uint32_t member, int64_t seq);
  void LearnSeq(Sender& sender, uint64_t number, int64_t seq);
  Step StepOf(Sender& sender, Message& message, bool was_complete);
  static void LetGo(Sender& sender);

  const Plan plan_;
  Faults faults_;
  uint64_t open_ = 0;
  std::vector<Sender> senders_;
  std::vector<Position> positions_;
  std::vector<uint32_t> live_in_room_;
  std::unordered_map<uint32_t, std::set<int64_t>> holes_;  // Of few members, if of any.
};

}  // namespace confab::loadgen
