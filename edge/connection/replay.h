// replay.h: one room's missed events on their way to one connection, page by page. Pure.
// Owns: the page that is being handed over.   Used by: connection.
// Threads: confined to the io thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "confab/v1/client.pb.h"

namespace confab::edge {

// A JoinRoom that control has not answered yet.
struct PendingJoin {
  std::string room;
  std::optional<std::int64_t> after_seq;
  bool is_resumed = false;              // By a Resume, which names its position again and again.
  bool has_subscribed = false;          // Its Subscribe came, and the connection was none before.
  std::optional<std::int64_t> held_at;  // It was one: live events are held back from there on.
};

// A subscription that has ended: its last events may still wait in the outbox.
struct EndedRoom {
  std::string room;
  std::int64_t since = 0;    // Everything behind it was delivered, or will be.
  std::int64_t end_seq = 0;  // Nothing of the room follows it.
};

class RoomReplay {
 public:
  RoomReplay(std::string room, std::int64_t after_seq)
      : room_(std::move(room)), after_seq_(after_seq) {}

  const std::string& room() const { return room_; }
  // Last event the connection was given.
  std::int64_t after_seq() const { return after_seq_; }

  // The client gives its position with each handshake: it is not to be closed because of it.
  void MarkResumed() { is_resumed_ = true; }
  bool is_resumed() const { return is_resumed_; }

  // Nothing is read before the client has the answer to its JoinRoom.
  void Begin() { has_begun_ = true; }
  // It has asked for more by another JoinRoom: that is to be answered first.
  void Pause() { has_begun_ = false; }
  // What was handed over behind `after_seq` has not reached the client, or it wants it again.
  void GoBack(std::int64_t after_seq);

  // The subscription, which had begun behind `since`, ended with that event: it is read up to there,
  // live ones never follow.
  void EndAt(std::int64_t end_seq, std::int64_t since = 0) {
    end_seq_ = end_seq;
    since_ = since;
  }
  bool is_ending() const { return end_seq_.has_value(); }
  std::int64_t since() const { return since_; }

  // True: a page is to be asked for now.
  bool WantsPage() const { return has_begun_ && !is_asking_ && !page_; }
  // A page of it is on its way, or being handed over.
  bool is_busy() const { return is_asking_ || page_.has_value(); }
  void OnAsked() {
    is_asking_ = true;
    asked_after_ = after_seq_;
    is_asked_for_end_ = is_ending();
  }
  // Whether it waits for the page behind that event.
  bool Awaits(std::int64_t after_seq) const { return is_asking_ && asked_after_ == after_seq; }
  // No answer came; WantsPage again.
  void OnNoPage() { is_asking_ = false; }
  void OnPage(const v1::HistoryPage& page);

  // The next event to hand over, nullptr: none at hand. Take() moves on behind it.
  const v1::Event* Next();
  void Take();

  // True: everything up to the end, or up to `live_position`, was handed over. nullopt: there is no
  // subscription to go live in.
  bool IsDone(std::optional<std::int64_t> live_position) const;

  // The log ended before the position that live events start behind: a hole.
  bool has_hole() const { return has_hole_; }

 private:
  std::string room_;
  std::int64_t after_seq_;
  std::int64_t asked_after_ = 0;
  std::optional<std::int64_t> end_seq_;
  std::int64_t since_ = 0;  // It never goes back behind that; known when it is ending.
  std::optional<v1::HistoryPage> page_;
  int next_ = 0;  // Of the page's events.
  bool is_resumed_ = false;
  bool has_begun_ = false;
  bool is_asking_ = false;
  bool is_asked_for_end_ = false;  // When the page was asked for, the end was in the log.
  bool is_last_page_ = false;      // Behind it there is nothing, not even the end.
  bool has_hole_ = false;
};

}  // namespace confab::edge
