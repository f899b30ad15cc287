// turn_queue.h: how much of what connections ask by themselves is under way at once, and whose turn
// it is where more of them want to: one after the other, each one thing at a time.
// Owns: who has turns, who waits for one.   Used by: io_thread.
// Threads: confined to the io thread.
// Fails: never; who gets no turn now is called later.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include "confab/v1/edge_link.pb.h"

namespace confab::edge {

class TurnQueue {
 public:
  // Joins that no client asked for one by one, and pages of logs that are read behind.
  enum class Kind : std::uint8_t { kJoin, kPage };

  // Of one thread. Control takes 4,096 commands of an edge: those of clients keep most of them,
  // however many connections come back at once.
  static constexpr std::size_t kJoinsLimit = 256;
  // A page has up to 256 KiB: 16 MiB that are on their way to one thread.
  static constexpr std::size_t kPagesLimit = 64;
  // All threads of an edge have no more than eight of them have.
  static constexpr std::size_t kThreadsWithAll = 8;

  // How many threads share what the edge may have.
  void SetThreads(std::size_t threads);

  // What a command needs a turn of; nullopt: it needs none.
  static std::optional<Kind> KindOf(const v1::Command& command);

  // True: the connection has one more turn. False: none is free, or others were there before; Call
  // gives the connection when it is its turn.
  bool Take(Kind kind, std::uint64_t connection);
  // What a turn was taken for is answered, or was not asked.
  void GiveBack(Kind kind, std::uint64_t connection);
  // The connection is gone, with all its turns.
  void Forget(std::uint64_t connection);

  // Who may take a turn now that waited for it: one, before the next call. nullopt: none is free, or
  // nobody waits.
  std::optional<std::uint64_t> Call();

  std::size_t taken(Kind kind) const { return lines_[Index(kind)].taken; }

 private:
  static constexpr std::size_t kKinds = 2;

  struct Line {
    std::size_t limit;
    std::size_t taken = 0;
    // Each once, in the order in which they came, and such that have gone meanwhile.
    std::deque<std::uint64_t> order = {};
    absl::flat_hash_set<std::uint64_t> waiting = {};
    std::uint64_t called = 0;  // By the last Call.

    void DropGone();
  };

  static std::size_t Index(Kind kind) { return static_cast<std::size_t>(kind); }

  std::array<Line, kKinds> lines_{Line{kJoinsLimit}, Line{kPagesLimit}};
  absl::flat_hash_map<std::uint64_t, std::array<std::size_t, kKinds>> holders_;
};

}  // namespace confab::edge
