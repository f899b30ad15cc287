// room.h: what control knows of one room, and the decisions that follow from it.
// Owns: the settings and the (user -> membership) pairs in use, all as of one version.
// Used by: room_lane.
// Threads: caller serialises (confined to the room's lane). Pure: no clock, no I/O.
// Fails: a refusal is a value; nothing else can go wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <absl/container/inlined_vector.h>
#include <absl/time/time.h>
#include <absl/types/span.h>

#include "confab/v1/types.pb.h"

#include "control/room/membership.h"
#include "control/room/permission.h"
#include "control/room/room_change.h"
#include "control/room/slow_mode.h"
#include "storage/records.h"

namespace confab::control {

// What is to become of a command of one user.
struct Verdict {
  enum class Kind {
    kAllow,
    kRefuse,  // With reason and message.
    kLoad,    // The pair is not in the cache: load it and ask again.
    kEnroll,  // The room is public and the user no member: make him one and ask again.
  };
  Kind kind = Kind::kRefuse;
  Membership membership;                       // kAllow
  v1::Reason reason = v1::REASON_UNSPECIFIED;  // kRefuse
  const char* message = "";                    // kRefuse
  uint32_t retry_after_ms = 0;                 // kRefuse; 0: nobody knows.
};

// What is to become of a command that changes the member list or the room.
struct MemberChange {
  // kAllow with events: append them; without: nothing changes, all is as asked.
  Verdict verdict;
  std::vector<storage::UserId> missing;  // kLoad: these pairs.
  absl::InlinedVector<storage::NewEvent, 1> events;
};

class Room {
 public:
  // Pairs kept at most; 10,000 are about 1 MB. Beyond it the longest unused half goes.
  static constexpr size_t kPairsLimit = 10'000;

  explicit Room(const storage::RoomSnapshot& snapshot, size_t pairs_limit = kPairsLimit);

  const storage::RoomId& id() const { return id_; }
  const storage::RoomSettings& settings() const { return settings_; }
  absl::Time created_at() const { return created_at_; }
  // Version of members and settings that this is as of.
  int64_t member_seq() const { return member_seq_; }
  size_t pairs() const { return pairs_.size(); }

  // --- What is known.
  // Takes the snapshot's pairs. Of the same version: they are added. Newer: they replace all
  // others. Older: false, nothing is taken.
  bool Learn(const storage::RoomSnapshot& snapshot);
  // An event that was published; one that changes members or settings moves this to its version
  // unless it is as of a later one. REQUIRES: each event behind the version is given, in order.
  void Apply(const storage::NewEvent& event, int64_t seq, absl::Time at);
  // nullptr: not in the cache. Peek leaves alone what is used next.
  const Membership* Find(const storage::UserId& user);
  const Membership* Peek(const storage::UserId& user) const;

  // --- Decisions about one user.
  Verdict Decide(const storage::UserId& user, RoomAct act, absl::Time now);
  // Posting: as Decide, and at the room's pace. `key` is the message's: the same again is a retry.
  Verdict DecidePost(const storage::UserId& user, const storage::DedupKey& key, absl::Time now);
  // Subscribing: as Decide, but a public room enrolls who is no member.
  Verdict DecideJoin(const storage::UserId& user, absl::Time now);
  // Leaving: whoever is a member, whatever the role.
  Verdict DecideLeave(const storage::UserId& user);
  // Reading what a subscription still has to replay behind `after_seq`: for a former member up
  // to the event that ended the membership (membership.changed_seq).
  Verdict DecideReplay(const storage::UserId& user, int64_t after_seq);

  // --- Decisions about the member list and the room. `key` becomes the first event's dedup key; the others
  // derive theirs from it. An actor with an empty id is the system and may do everything.
  MemberChange DecideEnroll(const storage::Actor& user, const storage::DedupKey& key) const;
  // Stop being a member, whatever the role; who is none has nothing to change.
  MemberChange DecideQuit(const storage::Actor& user, const storage::DedupKey& key);
  MemberChange DecideAdd(const storage::Actor& actor,
                         absl::Span<const std::pair<storage::UserId, storage::Role>> members,
                         const storage::DedupKey& key, absl::Time now);
  MemberChange DecideRemove(const storage::Actor& actor, absl::Span<const storage::UserId> users,
                            const storage::DedupKey& key, absl::Time now);
  // MEMBER_NOT_FOUND where only a member can be changed.
  MemberChange DecidePerson(const storage::Actor& actor, const PersonChange& change,
                            const storage::DedupKey& key, absl::Time now);
  MemberChange DecideUpdate(const storage::Actor& actor, const v1::RoomChanges& changes,
                            const storage::DedupKey& key, absl::Time now);

 private:
  struct Pair {
    Membership membership;
    uint64_t used = 0;  // Value of uses_ when it was last asked for.
  };

  void Insert(const storage::UserId& user, Membership membership);
  void DropUnused();
  Verdict Permitted(const Membership& membership, RoomAct act, absl::Time now) const;
  // kAllow, kRefuse, or kLoad with missing pairs, for an actor who does `acts`.
  void CheckActor(const storage::Actor& actor, absl::Span<const RoomAct> acts, absl::Time now,
                  MemberChange& change);

  storage::RoomId id_;
  storage::RoomSettings settings_;
  absl::Time created_at_;
  int64_t member_seq_ = 0;
  const size_t pairs_limit_;
  absl::flat_hash_map<storage::UserId, Pair> pairs_;
  SlowMode slow_mode_;
  uint64_t uses_ = 0;
};

}  // namespace confab::control
