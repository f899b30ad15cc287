#include "control/room/waiting_commands.h"

#include <algorithm>
#include <utility>

namespace confab::control {

WaitingCommands::Command WaitingCommands::PopFront() {
  Command command = std::move(queue_.front());
  queue_.pop_front();
  return command;
}

void WaitingCommands::Requeue(Command command) {
  const auto place = std::find_if(queue_.begin(), queue_.end(), [&](const Command& other) {
    return other->order > command->order;
  });
  queue_.insert(place, std::move(command));
}

std::list<WaitingCommands::Command> WaitingCommands::TakeLate(Deadline now) {
  std::list<Command> late;
  for (auto it = queue_.begin(); it != queue_.end();) {
    const auto here = it++;
    const RoomCommand& command = **here;
    const bool is_orphan =
        std::holds_alternative<AnnounceRequest>(command.request) && !command.edge->is_attached();
    if (command.deadline <= now || is_orphan) late.splice(late.end(), queue_, here);
  }
  return late;
}

std::list<WaitingCommands::Command> WaitingCommands::TakeAll() {
  queue_.splice(queue_.end(), parked_);
  return std::exchange(queue_, {});
}

bool WaitingCommands::HasParked(const Attachment& edge) const {
  return std::any_of(parked_.begin(), parked_.end(),
                     [&](const Command& command) { return command->edge.get() == &edge; });
}

std::list<WaitingCommands::Command> WaitingCommands::Unpark(const Attachment& edge) {
  std::list<Command> settled;
  for (auto it = parked_.begin(); it != parked_.end();) {
    const auto here = it++;
    if ((*here)->edge.get() != &edge) continue;
    if ((*here)->is_settled) {
      settled.splice(settled.end(), parked_, here);
    } else {
      Requeue(std::move(*here));
      parked_.erase(here);
    }
  }
  return settled;
}

}  // namespace confab::control
