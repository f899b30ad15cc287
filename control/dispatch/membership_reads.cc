#include "control/dispatch/membership_reads.h"

#include <cstddef>
#include <memory>
#include <utility>

#include "process/mutex.h"

namespace confab::control {

using storage::MembershipRecord;
using storage::PointerMove;
using storage::RoomId;
using storage::UserId;

namespace {

// Answers when the last lane has let go of it.
class Gathering {
 public:
  using Done = absl::AnyInvocable<void(std::vector<PointerMove>)>;

  explicit Gathering(Done done) : done_(std::move(done)) {}
  ~Gathering() { done_(std::move(moves_)); }
  Gathering(const Gathering&) = delete;
  Gathering& operator=(const Gathering&) = delete;

  void Add(const std::vector<PointerMove>& moves) {
    const process::MutexLock lock(mu_);
    moves_.insert(moves_.end(), moves.begin(), moves.end());
  }

 private:
  Done done_;
  process::Mutex mu_;
  std::vector<PointerMove> moves_;
};

}  // namespace

void GatherOwnPointers(RoomLanes& lanes, const UserId& user,
                       absl::AnyInvocable<void(std::vector<PointerMove>)> done) {
  const auto gathering = std::make_shared<Gathering>(std::move(done));
  for (size_t lane = 0; lane < lanes.size(); ++lane) {
    lanes.Post(lane,
               [gathering, user](RoomLane& rooms) { gathering->Add(rooms.OwnPointersOf(user)); });
  }
}

absl::StatusOr<std::vector<MembershipRecord>> ReadMemberships(storage::Store& store,
                                                              const UserId& user,
                                                              const RoomId& after, int32_t limit,
                                                              const std::vector<PointerMove>& own) {
  auto memberships = store.ListMemberships(user, after, limit);
  if (!memberships.ok()) return memberships;
  for (const PointerMove& move : own) {
    for (MembershipRecord& membership : *memberships) {
      if (membership.room.id != move.room || membership.read.seq >= move.seq) continue;
      const auto position = store.ReadPositionAt(move.room, move.seq);
      if (position.ok()) membership.read = *position;
    }
  }
  return memberships;
}

}  // namespace confab::control
