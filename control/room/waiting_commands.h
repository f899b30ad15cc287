// waiting_commands.h: commands of one room that cannot run yet, in the order they came.
// Owns: the commands.   Used by: live_room.
// Threads: caller serialises (confined to the room's lane).
// Fails: never; live_room bounds how many there are.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>

#include "control/room/room_command.h"

namespace confab::control {

class WaitingCommands {
 public:
  using Command = std::unique_ptr<RoomCommand>;

  bool empty() const { return queue_.empty() && parked_.empty(); }

  // --- The queue: its head waits for something, the others for the head.
  bool has_head() const { return !queue_.empty(); }
  RoomCommand& head() { return *queue_.front(); }
  size_t size() const { return queue_.size(); }
  const std::list<Command>& queue() const { return queue_; }
  void PushBack(Command command) { queue_.push_back(std::move(command)); }
  void PushFront(Command command) { queue_.push_front(std::move(command)); }
  Command PopFront();
  // Back to its place among those that came before and after it.
  void Requeue(Command command);
  // Takes out what is late, and announcements of edges that are gone.
  std::list<Command> TakeLate(Deadline now);
  // Takes out everything, parked commands too.
  std::list<Command> TakeAll();

  // --- Parked: commands of an edge that is catching up with the log. Nobody else waits for them.
  bool HasParked(const Attachment& edge) const;
  void Park(Command command) { parked_.push_back(std::move(command)); }
  // Puts the edge's commands back into the queue; gives those that only wait to be answered.
  std::list<Command> Unpark(const Attachment& edge);

 private:
  std::list<Command> queue_;
  std::list<Command> parked_;
};

}  // namespace confab::control
