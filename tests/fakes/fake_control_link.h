// fake_control_link.h: a control link with a small control behind it, in memory: rooms with members
// and logs. The test attaches and detaches it, and may say things of its own.
// Owns: the rooms, one thread that stands for gRPC's.   Used by: tests/edge.
// Threads: any thread (guarded by `mu_`).
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "confab/v1/edge_link.pb.h"

#include "edge/control_link/control_link.h"

namespace confab::tests {

class FakeControlLink final : public edge::ControlLink {
 public:
  FakeControlLink();
  ~FakeControlLink() override;

  // ControlLink. It stays detached until Attach.
  void Start(edge::ControlLinkSink& sink) override;
  void Announce(std::uint64_t stream, std::vector<v1::Hello> chunks) override;
  void Send(std::uint64_t stream, std::vector<v1::EdgeItem>& items) override;
  void Reset(std::uint64_t stream, std::string_view why) override;
  void Stop() override;

  // The test's side. Attach returns when the edge has announced itself and Welcome is on its way.
  void Attach();
  void Detach();
  void AddMember(const std::string& room, const std::string& user);
  // Stores an event as if a service had posted it, and broadcasts it where it is wanted.
  std::int64_t Post(const std::string& room, const std::string& content);
  // The same for several, in one batch.
  void PostTogether(const std::string& room, const std::vector<std::string>& contents);
  // Removes the user: the event, then Unsubscribe.
  void RemoveMember(const std::string& room, const std::string& user);
  void Say(v1::ControlItem item);
  // In one batch.
  void Say(std::vector<v1::ControlItem> items);
  // While true, commands are taken and not answered.
  void SetSilent(bool silent);
  // While true, ReplayPage commands wait until the next call.
  void HoldPages(bool hold);

  // False: what the edge sends is not kept for Sent().
  void SetRecording(bool records) { records_ = records; }

  // Everything the edge has sent, in order; Hello chunks as items.
  std::vector<v1::EdgeItem> Sent() const;
  // True once `holds` is true of what was sent; false after 5 s.
  bool WaitUntil(const std::function<bool(const std::vector<v1::EdgeItem>&)>& holds);
  std::size_t CountSent(v1::EdgeItem::ItemCase kind) const;

 private:
  struct Room {
    std::set<std::string> members;
    std::vector<v1::Event> log;
    std::map<std::uint64_t, std::uint64_t> subscribers;  // Connection -> number of Subscribe.
    bool is_wanted = false;                              // By the edge.
    std::int64_t edge_position = 0;
    std::uint64_t last_subscribe = 0;
  };

  void Run();
  // All of these REQUIRE mu_ held; what they say is appended to out_.
  void React(const v1::EdgeItem& item);
  void Answer(const v1::Command& command);
  void Join(const v1::Command& command, v1::Result& result);
  void Store(const std::string& room, const std::string& user, const v1::PostMessage& post,
             v1::Result* result);
  void Append(const std::string& room, v1::Event event);
  void CatchUp(const std::string& name, Room& room);
  void SayLocked(v1::ControlItem item);
  static void Page(const Room& room, std::int64_t after_seq, int limit, v1::HistoryPage& page);

  mutable std::mutex mu_;
  std::condition_variable changed_;
  edge::ControlLinkSink* sink_ = nullptr;
  std::deque<std::function<void()>> work_;  // For the thread; run without the lock.
  std::vector<v1::EdgeItem> sent_;
  std::vector<v1::EdgeItem> early_;  // Sent before the announcement: follows it.
  std::map<std::string, Room> rooms_;
  std::map<std::uint64_t, std::string> users_;  // Connection -> user.
  std::vector<v1::Command> held_pages_;
  std::shared_ptr<v1::AttachResponse> out_;
  std::uint64_t stream_ = 0;
  std::uint64_t last_stream_ = 0;
  std::uint64_t subscribes_ = 0;  // Of this stream.
  bool records_ = true;
  bool is_announced_ = false;
  bool is_silent_ = false;
  bool holds_pages_ = false;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace confab::tests
