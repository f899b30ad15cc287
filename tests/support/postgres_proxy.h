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

  // The next COMMIT, or statement that is its own COMMIT, reaches the server and takes effect; the
  // client is cut instead of answered.
  void LoseNextCommitAnswer() { fault_ = Fault::kLoseAnswer; }
  // It does not reach the server; the client is cut.
  void LoseNextCommit() { fault_ = Fault::kLoseRequest; }
  // True once the fault has struck.
  bool has_struck() const { return fault_ == Fault::kNone; }
  // How often clients have sent something: round trips, as long as requests are short.
  int requests() const { return requests_; }

 private:
  enum class Fault { kNone, kLoseAnswer, kLoseRequest };
  void Accept();
  void Forward(int client);
  bool PassToServer(int client, int server);

  std::string server_path_;
  std::string dir_;
  std::atomic<Fault> fault_ = Fault::kNone;
  std::atomic<int> requests_ = 0;
  std::atomic<bool> is_stopping_ = false;
  int listener_ = -1;
  std::mutex mu_;
  std::vector<std::thread> forwarders_;  // Guarded by mu_.
  std::thread accepter_;
};

}  // namespace confab::testing_support
