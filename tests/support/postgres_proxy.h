// postgres_proxy.h: stands between a client and PostgreSQL and loses what it is told to lose.
// Owns: a socket directory and its threads.   Used by: tests.
// Threads: any thread (guarded by atomics).
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace confab::testing_support {

class PostgresProxy {
 public:
  explicit PostgresProxy(const std::string& server_socket_dir);
  ~PostgresProxy();
  PostgresProxy(const PostgresProxy&) = delete;
  PostgresProxy& operator=(const PostgresProxy&) = delete;

  const std::string& socket_dir() const { return dir_; }

  // The next COMMIT reaches the server and takes effect; the client is cut instead of answered.
  void LoseNextCommitAnswer() { fault_ = Fault::kLoseAnswer; }
  // The next COMMIT does not reach the server; the client is cut.
  void LoseNextCommit() { fault_ = Fault::kLoseRequest; }
  // True once the fault has struck.
  bool has_struck() const { return fault_ == Fault::kNone; }

 private:
  enum class Fault { kNone, kLoseAnswer, kLoseRequest };
  void Accept();
  void Forward(int client);
  bool PassToServer(int client, int server);

  std::string server_path_;
  std::string dir_;
  std::atomic<Fault> fault_ = Fault::kNone;
  std::atomic<bool> is_stopping_ = false;
  int listener_ = -1;
  std::mutex mu_;
  std::vector<std::thread> forwarders_;  // Guarded by mu_.
  std::thread accepter_;
};

}  // namespace confab::testing_support
