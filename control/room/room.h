// room.h: what control knows of one room, and the decisions that follow from it.
// Owns: the (user -> membership) pairs in use, all as of one version of the member list.
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

#include "control/room/permission.h"
#include "storage/records.h"

namespace confab::control {

// One (room, user) pair as of the room's version.
struct Membership {
  storage::Role role = storage::Role::kNone;
  int64_t changed_seq = 0;  // Event that made it so; with kNone: where the membership ended.
  absl::Time changed_at;
};

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
};

// What is to become of a command that changes the member list.
struct MemberChange {
  // kAllow with events: append them; without: nothing changes, the list is as asked.
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
  bool is_public() const { return is_public_; }
  // Version of the member list that the pairs are as of.
  int64_t member_seq() const { return member_seq_; }
  size_t pairs() const { return pairs_.size(); }

  // --- What is known.
  // Takes the snapshot's pairs. Of the same version: they are added. Newer: they replace all
  // others. Older: false, nothing is taken.
  bool Learn(const storage::RoomSnapshot& snapshot);
  // An event that was published; one that changes members moves the pairs to its version unless
  // they are as of a later one. REQUIRES: each event behind the version is given, in order.
  void Apply(storage::EventKind kind, const storage::UserId& subject, storage::Role role,
             int64_t seq, absl::Time at);
  // nullptr: not in the cache.
  const Membership* Find(const storage::UserId& user);

  // --- Decisions about one user.
  Verdict Decide(const storage::UserId& user, RoomAct act);
  // Subscribing: as Decide, but a public room enrolls who is no member.
  Verdict DecideJoin(const storage::UserId& user);
  // Leaving: whoever is a member, whatever the role.
  Verdict DecideLeave(const storage::UserId& user);
  // Reading what a subscription still has to replay behind `after_seq`: for a former member up
  // to the event that ended the membership (membership.changed_seq).
  Verdict DecideReplay(const storage::UserId& user, int64_t after_seq);

  // --- Decisions about the member list. `key` becomes the first event's dedup key; the others
  // derive theirs from it. An actor with an empty id is the system and may do everything.
  MemberChange DecideEnroll(const storage::Actor& user, const storage::DedupKey& key) const;
  // Stop being a member, whatever the role; who is none has nothing to change.
  MemberChange DecideQuit(const storage::Actor& user, const storage::DedupKey& key);
  MemberChange DecideAdd(const storage::Actor& actor,
                         absl::Span<const std::pair<storage::UserId, storage::Role>> members,
                         const storage::DedupKey& key);
  MemberChange DecideRemove(const storage::Actor& actor, absl::Span<const storage::UserId> users,
                            const storage::DedupKey& key);
  MemberChange DecideRole(const storage::Actor& actor, const storage::UserId& user,
                          storage::Role role, const storage::DedupKey& key);

 private:
  struct Pair {
    Membership membership;
    uint64_t used = 0;  // Value of uses_ when it was last asked for.
  };

  void Insert(const storage::UserId& user, Membership membership);
  void DropUnused();
  // kAllow, kRefuse, or kLoad with missing pairs, for an actor who manages `roles`.
  void CheckActor(const storage::Actor& actor, absl::Span<const storage::Role> roles,
                  MemberChange& change);

  storage::RoomId id_;
  bool is_public_ = false;
  int64_t member_seq_ = 0;
  const size_t pairs_limit_;
  absl::flat_hash_map<storage::UserId, Pair> pairs_;
  uint64_t uses_ = 0;
};

}  // namespace confab::control
