// recoverable.h: what a connection is in order to be had back: its secret, its name, and which
// offsets say what its client has.
// Owns: what the client wants back, until that is decided.   Used by: connection, io_thread.
// Threads: confined to the io thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "confab/v1/recovery.pb.h"

#include "edge/recovery/lost_sessions.h"
#include "edge/recovery/offset.h"
#include "edge/recovery/pid.h"

namespace confab::edge {

class Recoverable {
 public:
  // What the CONNECT names; empty: nothing.
  struct Wish {
    std::string pid;
    std::string offset;
  };

  // The names outlive this object, as does `stamp`, the thread's.
  Recoverable(OffsetStamp& stamp, std::string_view dialect, std::string_view nsp, Wish wish);

  const Wish& wish() const { return wish_; }
  // Its client comes with that offset of this edge's, and may come with it again: nothing that it is
  // given here has the same number. 0: it has none of this edge's.
  void BeginBehind(std::uint64_t number);
  // What it wanted is decided: it goes on with that session, or (nullptr) begins anew.
  void Decide(const v1::LostSession* session);
  bool is_decided() const { return is_decided_; }
  bool is_recovered() const { return is_recovered_; }
  // The session that it goes on with, until it is admitted.
  const v1::LostSession* found() const { return found_.get(); }
  void OnAdmitted() { found_.reset(); }
  // The rooms of the session are being resumed.
  void OnResuming() { is_resuming_ = is_recovered_; }
  void OnResumed() { is_resuming_ = false; }
  bool is_resuming() const { return is_resuming_; }

  const Pid& pid() const { return pid_; }
  std::string PidText() const { return TextOfPid(pid_); }
  // Its name towards the client: that of the session, else the connection's.
  const std::string& sid() const { return sid_; }
  void SetSid(std::string_view sid) { sid_ = sid; }
  std::string_view dialect() const { return dialect_; }
  std::string_view nsp() const { return nsp_; }

  // It is not to be had back.
  void Forget() { is_kept_ = false; }
  bool is_kept() const { return is_kept_; }

  // While it lives, what is encoded for the connection alone has a number of its own, which is used up
  // if it is said that the frame was sent. `one` may be null.
  class Alone {
   public:
    explicit Alone(Recoverable* one);
    ~Alone();
    Alone(const Alone&) = delete;
    Alone& operator=(const Alone&) = delete;

    // Gives the number; 0: it had none.
    std::uint64_t OnSent();
    // It was an event that was read from a log.
    void OnReplayed();

   private:
    Recoverable* const one_;
    const std::uint64_t before_;
  };

  // One of its rooms has come to the live events. `is_last`: so have all others.
  void OnReplayDone(bool is_last);
  // Its client is to be told something that only frames from now on prove: no offset before holds.
  void Invalidate();
  // The same, but what has just been broadcast was the last of that.
  void InvalidateBefore();
  // A frame goes out late, which was encoded at `number`.
  void OnSentLate(std::uint64_t number);

  // `is_owed`: something of a log is still on its way.
  GoodOffsets offsets(bool is_owed) const;
  std::uint64_t number() const { return stamp_.number(); }
  // To an event that is told its client alone.
  void AppendOffset(std::string& out) const { stamp_.Append(out); }

 private:
  // Broadcasts that offsets up to now may tell of.
  std::uint64_t TellableBroadcasts() const;
  void Raise(std::uint64_t from_broadcast);
  void SpendAlone();

  OffsetStamp& stamp_;
  const std::string_view dialect_;
  const std::string_view nsp_;
  Wish wish_;
  Pid pid_;
  std::string sid_;
  std::unique_ptr<v1::LostSession> found_;
  std::uint64_t from_broadcast_ = 0;  // As GoodOffsets has them.
  std::uint64_t from_alone_ = 0;
  std::uint64_t alone_ = 0;  // Of the last frame that had a number of its own, or of BeginBehind.
  std::uint64_t begun_behind_ = 0;  // Broadcasts.
  bool is_decided_ = false;
  bool is_resuming_ = false;
  bool is_recovered_ = false;
  bool is_kept_ = true;
  bool has_replayed_ = false;
};

}  // namespace confab::edge
