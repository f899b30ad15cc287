// edge_registry.h: which edges are attached, each by one stream at a time.
// Owns: nothing; an Attachment lives as long as somebody needs it.
// Used by: dispatcher.
// Threads: any thread (guarded by `mu_`).
// Fails: FAILED_PRECONDITION for an edge that has been replaced by a later start of itself.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>

#include "control/fanout/edge_stream.h"
#include "process/mutex.h"

namespace confab::control {

// One stream of one edge. Threads: any thread.
class Attachment {
 public:
  // What one edge may have under way; half of what the commit queue takes in all.
  static constexpr size_t kCommandsLimit = 4096;

  Attachment(std::string edge_id, uint64_t epoch, std::shared_ptr<EdgeStream> stream,
             size_t commands_limit = kCommandsLimit, std::string version = {});

  const std::string& edge_id() const { return edge_id_; }
  const std::string& version() const { return version_; }
  absl::Time attached_at() const { return attached_at_; }
  uint64_t epoch() const { return epoch_; }
  // "edge_id/epoch/": what makes a request number of this edge unique.
  const std::string& key_prefix() const { return key_prefix_; }
  EdgeStream& stream() const { return *stream_; }

  // False: its stream has ended; what is sent to it goes nowhere.
  bool is_attached() const { return is_attached_.load(std::memory_order_acquire); }
  void MarkDetached() { is_attached_.store(false, std::memory_order_release); }

  // When the edge last said that it is alive; at the latest when it attached.
  std::chrono::steady_clock::time_point heard_at() const {
    return heard_at_.load(std::memory_order_relaxed);
  }
  void Hear() { heard_at_.store(std::chrono::steady_clock::now(), std::memory_order_relaxed); }

  // Connections of clients with a user that it carries.
  int64_t sockets() const { return sockets_.load(std::memory_order_relaxed); }
  void AddSockets(int64_t count) { sockets_.fetch_add(count, std::memory_order_relaxed); }

  // It takes no new clients, and will end.
  bool is_draining() const { return is_draining_.load(std::memory_order_relaxed); }
  void MarkDraining() { is_draining_.store(true, std::memory_order_relaxed); }

  // One command more is under way; false: too many are.
  bool Admit();
  void Release() { commands_.fetch_sub(1, std::memory_order_relaxed); }

 private:
  const std::string edge_id_;
  const uint64_t epoch_;
  const std::string key_prefix_;
  const std::shared_ptr<EdgeStream> stream_;
  const size_t commands_limit_;
  const std::string version_;
  const absl::Time attached_at_ = absl::Now();
  std::atomic<size_t> commands_{0};
  std::atomic<std::chrono::steady_clock::time_point> heard_at_{std::chrono::steady_clock::now()};
  std::atomic<int64_t> sockets_{0};
  std::atomic<bool> is_draining_{false};
  std::atomic<bool> is_attached_{true};
};

class EdgeRegistry {
 public:
  // Registers the stream and closes the one that served this edge before.
  absl::StatusOr<std::shared_ptr<Attachment>> Attach(std::string edge_id, uint64_t epoch,
                                                     std::shared_ptr<EdgeStream> stream,
                                                     std::string version = {});
  void Detach(const Attachment& edge);
  // Null: it is not attached.
  std::shared_ptr<Attachment> Find(const std::string& edge_id) const;
  // As EdgeStream has it, for all streams.
  void BeginStop();
  // Closes all streams.
  void CloseAll(const absl::Status& why);
  // In order of their names.
  std::vector<std::shared_ptr<Attachment>> All() const;
  size_t size() const;

 private:
  mutable process::Mutex mu_;
  // By edge_id.
  std::map<std::string, std::shared_ptr<Attachment>> edges_ ABSL_GUARDED_BY(mu_);
};

}  // namespace confab::control
