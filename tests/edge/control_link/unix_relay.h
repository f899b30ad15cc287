// unix_relay.h: a Unix socket in front of another one, which passes everything on until it is told to
// stand still: then it accepts, reads and writes nothing, as a process that is stopped.
// Owns: its thread, the listening socket, all connections.   Used by: tests of the link.
// Threads: any thread.
// Fails: a socket that cannot be made fails the test.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace confab::edge {

class UnixRelay {
 public:
  UnixRelay(std::string front, std::string back);
  ~UnixRelay();
  UnixRelay(const UnixRelay&) = delete;
  UnixRelay& operator=(const UnixRelay&) = delete;

  void Stall() { is_stalled_ = true; }
  void GoOn() { is_stalled_ = false; }

 private:
  // Bytes of one direction that were read and not yet written.
  struct Way {
    int from = -1;
    int to = -1;
    std::string waiting = {};
    bool has_ended = false;

    void PassOn();
  };
  struct Pair {
    Way up;
    Way down;
  };

  void Run();
  void Accept();

  const std::string front_;
  const std::string back_;
  const int listener_;
  std::vector<Pair> pairs_;
  std::atomic<bool> is_stalled_{false};
  std::atomic<bool> is_stopping_{false};
  std::thread thread_;
};

}  // namespace confab::edge
