#include "control/room/room_typing.h"

namespace confab::control {

using storage::UserId;

void RoomTyping::Set(const UserId& user, bool is_typing, const std::shared_ptr<Attachment>& edge,
                     uint64_t connection) {
  const auto now = tools_.lane.now();
  if (is_typing ? !state_.Begin(user, now) : !state_.End(user, now)) return;
  sources_[user] = {edge, connection};
  Tell(user, is_typing);
  WaitForNext();
}

void RoomTyping::End(const UserId& user) {
  if (state_.End(user, tools_.lane.now())) Tell(user, false);
}

void RoomTyping::Tell(const UserId& user, bool is_typing) {
  v1::Signal signal;
  v1::Typing& typing = *signal.mutable_typing();
  typing.set_room_id(room_.value);
  typing.set_user_id(user.value);
  typing.set_is_typing(is_typing);
  const auto source = sources_.find(user);
  if (source == sources_.end()) return audience_.Signal(signal, nullptr, 0);
  audience_.Signal(signal, source->second.edge.get(), source->second.connection);
  if (!is_typing) sources_.erase(source);
}

void RoomTyping::WaitForNext() {
  const auto next = state_.NextAt();
  if (is_waiting_ || !next || tools_.is_stopping) return;
  is_waiting_ = true;
  tools_.lane.Delay(absl::FromChrono(*next - tools_.lane.now()), [this] {
    is_waiting_ = false;
    Expire();
  });
}

void RoomTyping::Expire() {
  for (const UserId& user : state_.Expire(tools_.lane.now())) Tell(user, false);
  WaitForNext();
}

}  // namespace confab::control
