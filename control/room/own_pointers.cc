#include "control/room/own_pointers.h"

#include <algorithm>

namespace confab::control {

using storage::PointerMove;
using storage::RoomId;
using storage::UserId;

OwnPointers::Pointer* OwnPointers::FindPointer(const UserId& user, const RoomId& room) {
  const auto found = users_.find(user);
  if (found == users_.end()) return nullptr;
  const auto at = std::find_if(found->second.begin(), found->second.end(),
                               [&](const Pointer& pointer) { return pointer.room == room; });
  return at == found->second.end() ? nullptr : &*at;
}

void OwnPointers::Note(const UserId& user, const RoomId& room, int64_t seq) {
  if (Pointer* pointer = FindPointer(user, room)) {
    pointer->seq = std::max(pointer->seq, seq);
  } else {
    users_[user].push_back({room, seq, false});
  }
}

int64_t OwnPointers::Find(const UserId& user, const RoomId& room) const {
  for (const PointerMove& move : Of(user)) {
    if (move.room == room) return move.seq;
  }
  return 0;
}

std::vector<PointerMove> OwnPointers::Of(const UserId& user) const {
  std::vector<PointerMove> moves;
  const auto found = users_.find(user);
  if (found == users_.end()) return moves;
  for (const Pointer& pointer : found->second) moves.push_back({pointer.room, user, pointer.seq});
  return moves;
}

std::vector<PointerMove> OwnPointers::TakeUnwritten(size_t limit) {
  std::vector<PointerMove> moves;
  for (auto& [user, pointers] : users_) {
    for (Pointer& pointer : pointers) {
      if (moves.size() == limit) return moves;
      if (pointer.is_taken) continue;
      pointer.is_taken = true;
      moves.push_back({pointer.room, user, pointer.seq});
    }
  }
  return moves;
}

void OwnPointers::OnWritten(const std::vector<PointerMove>& moves) {
  for (const PointerMove& move : moves) {
    Pointer* pointer = FindPointer(move.user, move.room);
    if (pointer == nullptr) continue;
    pointer->is_taken = false;
    if (pointer->seq > move.seq) continue;
    Pointers& pointers = users_[move.user];
    pointers.erase(pointers.begin() + (pointer - pointers.data()));
    if (pointers.empty()) users_.erase(move.user);
  }
}

void OwnPointers::OnFailed(const std::vector<PointerMove>& moves) {
  for (const PointerMove& move : moves) {
    if (Pointer* pointer = FindPointer(move.user, move.room)) pointer->is_taken = false;
  }
}

}  // namespace confab::control
