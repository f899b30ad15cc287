// control_bench.h: a Dispatcher on a store in memory that can be made to fail, with short words
// for what edges and services do.
// Threads: the test's; waits have a deadline of 10 s.
#pragma once

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "control/dispatch/dispatcher.h"
#include "control/status_reason.h"
#include "process/metrics.h"
#include "tests/fakes/failing_store.h"
#include "tests/fakes/memory_store.h"
#include "tests/fakes/recording_edge_stream.h"

namespace confab::control {

inline constexpr auto kLong = std::chrono::seconds(10);

// The word of a result: "ok" or its reason.
std::string WordOf(const v1::Result& result);

// One edge as the dispatcher sees it.
class TestEdge {
 public:
  TestEdge(Dispatcher& dispatcher, std::string id, uint64_t epoch = 1,
           std::vector<EdgeAnnouncement::Room> rooms = {});
  ~TestEdge() { Detach(); }

  RecordingEdgeStream& stream() { return *stream_; }
  const std::shared_ptr<Attachment>& attachment() const { return attachment_; }
  void Detach();

  static EdgeCommand Ask(uint64_t connection, const std::string& user, uint64_t request);
  static EdgeCommand Join(uint64_t connection, const std::string& user, uint64_t request,
                          const std::string& room, int64_t after_seq = -1);
  static EdgeCommand Leave(uint64_t connection, const std::string& user, uint64_t request,
                           const std::string& room);
  static EdgeCommand Post(uint64_t connection, const std::string& user, uint64_t request,
                          const std::string& room, const std::string& content,
                          const std::string& client_msg_id = "");
  static EdgeCommand History(uint64_t connection, const std::string& user, uint64_t request,
                             const std::string& room);
  static EdgeCommand Replay(uint64_t connection, const std::string& user, uint64_t request,
                            const std::string& room, int64_t after_seq);

  template <typename... Input>
  void Send(Input... inputs) {
    std::vector<EdgeInput> all;
    (all.push_back(EdgeInput(std::move(inputs))), ...);
    dispatcher_.Dispatch(attachment_, std::move(all));
  }
  void Release(const std::string& room, uint64_t subscribes_seen);
  // Sends and waits for the result.
  v1::Result Do(EdgeCommand input);
  // The same, with a request number of its own.
  v1::Result DoJoin(uint64_t connection, const std::string& user, const std::string& room,
                    int64_t after_seq = -1) {
    return Do(Join(connection, user, ++requests_, room, after_seq));
  }
  v1::Result DoPost(uint64_t connection, const std::string& user, const std::string& room,
                    const std::string& content, const std::string& client_msg_id = "") {
    return Do(Post(connection, user, ++requests_, room, content, client_msg_id));
  }
  // The same again and again while it is refused as UNAVAILABLE, as a client does.
  v1::Result PostUntilTaken(uint64_t connection, const std::string& user, const std::string& room,
                            const std::string& content, const std::string& client_msg_id = "");

 private:
  Dispatcher& dispatcher_;
  const std::shared_ptr<RecordingEdgeStream> stream_;
  std::shared_ptr<Attachment> attachment_;
  uint64_t requests_ = 1'000'000;
};

// A callback whose answer can be waited for.
template <typename T>
class Awaited {
 public:
  Callback<T> callback() {
    return
        [promise = promise_](absl::StatusOr<T> answer) { promise->set_value(std::move(answer)); };
  }
  absl::StatusOr<T> Get() {
    if (future_.wait_for(kLong) != std::future_status::ready) {
      return absl::DeadlineExceededError("no answer within 10 s");
    }
    return future_.get();
  }

 private:
  std::shared_ptr<std::promise<absl::StatusOr<T>>> promise_ =
      std::make_shared<std::promise<absl::StatusOr<T>>>();
  std::future<absl::StatusOr<T>> future_ = promise_->get_future();
};

class ControlBench : public testing::Test {
 protected:
  using Users = std::vector<std::string>;
  using Lines = std::vector<std::string>;

  ControlBench() { Open(); }
  ~ControlBench() override { dispatcher_.reset(); }

  // A store (that of a process) on the database, and a dispatcher that serves it.
  void Open(absl::Duration command_deadline = absl::Seconds(5));
  void Open(const DispatcherOptions& options);
  // As after kill -9: nothing is left but the database.
  void Restart(absl::Duration command_deadline = absl::Seconds(5));

  static Deadline Soon() { return std::chrono::steady_clock::now() + kLong; }

  void MakeRoom(const std::string& room, const Users& members, bool is_public = false);
  absl::Status DeleteRoom(const std::string& room);
  absl::StatusOr<MembersChanged> Add(const std::string& room, const Users& users,
                                     storage::Role role = storage::Role::kMember);
  absl::StatusOr<MembersChanged> Remove(const std::string& room, const Users& users);
  absl::StatusOr<PostedMessage> PostAsSystem(const std::string& room, const std::string& content,
                                             const std::string& key = "");
  absl::StatusOr<storage::EventPage> List(const std::string& room, int64_t after_seq = -1,
                                          int64_t before_seq = -1, int32_t limit = 500);

  // Behind control's back, as another process would.
  void WriteDirectly(const std::string& room, const std::string& user, storage::EventKind kind,
                     storage::Role role);
  void RemoveDirectly(const std::string& room, const std::string& user);
  void AddDirectly(const std::string& room, const std::string& user);

  std::shared_ptr<storage::MemoryDatabase> database_ = std::make_shared<storage::MemoryDatabase>();
  process::Metrics metrics_;
  std::unique_ptr<storage::FailingStore> store_;
  std::atomic<int> fatals_{0};
  int direct_writes_ = 0;
  std::unique_ptr<Dispatcher> dispatcher_;
};

}  // namespace confab::control
