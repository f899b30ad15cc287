// connection_pool.h: at most N connections, opened when first needed, lent to one thread each.
// Owns: the connections that are not lent.   Used by: sqlite_store, postgres_store (reads).
// Threads: any thread (guarded by mu_); leases end before the pool does.
// Fails: RESOURCE_EXHAUSTED when none is free in time; else what opening answers.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "process/mutex.h"

namespace confab::storage {

template <typename Connection>
class ConnectionPool {
 public:
  using Opener = std::function<absl::StatusOr<std::unique_ptr<Connection>>()>;

  // Gives its connection back when it ends, or, after Discard(), throws it away.
  class Lease {
   public:
    Lease(ConnectionPool* pool, std::unique_ptr<Connection> connection, int drops)
        : pool_(pool), connection_(std::move(connection)), drops_(drops) {}
    Lease(Lease&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)),
          connection_(std::move(other.connection_)),
          drops_(other.drops_) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (pool_ != nullptr) pool_->Return(std::move(connection_), drops_);
    }
    Connection* operator->() const { return connection_.get(); }
    Connection& operator*() const { return *connection_; }
    void Discard() { connection_.reset(); }

   private:
    ConnectionPool* pool_;
    std::unique_ptr<Connection> connection_;
    int drops_;
  };

  ConnectionPool(int size, absl::Duration acquire_timeout, Opener opener)
      : free_(size), acquire_timeout_(acquire_timeout), opener_(std::move(opener)) {}

  absl::StatusOr<Lease> Acquire() {
    const auto deadline =
        std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(acquire_timeout_);
    std::unique_ptr<Connection> idle;
    int drops = 0;
    {
      process::MutexLock lock(mu_);
      while (free_ == 0) {
        if (!lock.WaitUntil(returned_, deadline) && free_ == 0) {
          return absl::ResourceExhaustedError("no database connection was free in time");
        }
      }
      --free_;
      drops = drops_;
      if (!idle_.empty()) {
        idle = std::move(idle_.back());
        idle_.pop_back();
      }
    }
    if (idle == nullptr) {
      auto opened = opener_();
      if (!opened.ok()) {
        Return(nullptr, drops);
        return opened.status();
      }
      idle = *std::move(opened);
    }
    return Lease(this, std::move(idle), drops);
  }

  // Idle connections are closed, e.g. because the server went away; those that are lent when they
  // come back. The last to come back is lent first: one of before could lie there for ever.
  void DropAll() {
    std::vector<std::unique_ptr<Connection>> dropped;  // Closed after the lock is gone.
    const process::MutexLock lock(mu_);
    dropped.swap(idle_);
    ++drops_;
  }

 private:
  void Return(std::unique_ptr<Connection> connection, int drops) {
    const process::MutexLock lock(mu_);
    ++free_;
    // If not, it is closed by who had it, after the lock is gone.
    if (connection != nullptr && drops == drops_) idle_.push_back(std::move(connection));
    returned_.notify_one();
  }

  process::Mutex mu_;
  std::condition_variable returned_;
  int free_ ABSL_GUARDED_BY(mu_);       // How many more may be lent.
  int drops_ ABSL_GUARDED_BY(mu_) = 0;  // Calls of DropAll.
  std::vector<std::unique_ptr<Connection>> idle_ ABSL_GUARDED_BY(mu_);
  const absl::Duration acquire_timeout_;
  const Opener opener_;
};

}  // namespace confab::storage
