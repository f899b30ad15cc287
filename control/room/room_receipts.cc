#include "control/room/room_receipts.h"

#include <utility>

namespace confab::control {

using storage::UserId;

void RoomReceipts::Note(const UserId& user, const storage::PointerOutcome& now,
                        const std::shared_ptr<Attachment>& edge, uint64_t connection) {
  receipts_[user] = {now.position.seq, now.members, edge, connection};
  if (receipts_.size() >= kUsersLimit) return TellAll();
  if (is_waiting_) return;
  is_waiting_ = true;
  tools_.lane.Delay(kInterval, [this] {
    is_waiting_ = false;
    TellAll();
  });
}

void RoomReceipts::TellAll() {
  for (auto& [user, receipt] : std::exchange(receipts_, {})) Tell(user, std::move(receipt));
}

// A device that is in the room has both topics: where the room is told, one Broadcast names both.
void RoomReceipts::Tell(const UserId& user, Receipt receipt) {
  v1::Signal signal;
  v1::ReadPointer& pointer = *signal.mutable_read_pointer();
  pointer.set_room_id(room_.value);
  pointer.set_user_id(user.value);
  pointer.set_seq(receipt.seq);
  Passed passed{std::move(receipt.edge), receipt.connection, {}};
  if (receipt.members <= tools_.receipt_members) {
    audience_.Signal(signal, passed.edge.get(), passed.connection, TopicOfUser(user.value));
    passed.told = audience_.Edges();
  }
  tools_.watch.OnRead(user, std::move(signal), std::move(passed));
}

}  // namespace confab::control
