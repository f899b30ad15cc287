// How a Connection goes on with the session of one that was lost, and what of it can be had back when
// it is lost itself.
#include <utility>

#include "edge/connection/connection.h"

namespace confab::edge {

void Connection::MakeRecoverable(OffsetStamp& stamp, std::string_view dialect, std::string_view nsp,
                                 Recoverable::Wish wish) {
  recovery_ = std::make_unique<Recoverable>(stamp, dialect, nsp, std::move(wish));
}

// Its rooms are resumed like those that a client names itself, whose word on its positions counts.
void Connection::OnSession(const v1::LostSession* session) {
  recovery_->Decide(session);
  if (recovery_->found() == nullptr || session->rooms().empty()) return;
  std::unique_ptr<v1::Command>& resume = circumstances().resume;
  if (resume == nullptr) resume = std::make_unique<v1::Command>();
  auto& rooms = *resume->mutable_resume()->mutable_rooms();
  for (const v1::LostRoom& room : session->rooms())
    rooms.insert({room.room_id(), room.after_seq()});
}

bool Connection::is_owed() const {
  const bool is_resuming = own_joins_ != nullptr && own_joins_->resumption() != nullptr;
  return is_resuming || has_given_up_ || (catchup_ != nullptr && !catchup_->replays.empty());
}

// The client knows that it is in these rooms: it is told of those alone where that has changed.
bool Connection::IsQuiet(const v1::Command& command) const {
  return recovery_ != nullptr && recovery_->is_resuming() && own_joins_ != nullptr &&
         own_joins_->IsResumed(command);
}

}  // namespace confab::edge
