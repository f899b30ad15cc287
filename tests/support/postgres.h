// postgres.h: a throw-away PostgreSQL server on a Unix socket, gone with the test, however it ends.
// Owns: the server's processes and its directory; a reaper process cleans up if the test crashes.
// Used by: tests. Where no PostgreSQL is installed they fail, they are not skipped.
// Threads: caller serialises.
#pragma once

#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

struct pg_conn;

namespace confab::testing_support {

class PostgresServer {
 public:
  // The one of this test binary, started at the first call. Throws std::runtime_error with what to
  // do if it cannot be started.
  static PostgresServer& Shared();

  // `settings`: "name=value", besides those that keep it small. fsync stays on unless named.
  explicit PostgresServer(std::vector<std::string> settings = {});
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  // A store URL for a new, empty schema of its own.
  std::string NewSchemaUrl();
  // The same database by another socket directory, e.g. a proxy's.
  static std::string UrlOf(const std::string& socket_dir, const std::string& schema);
  const std::string& socket_dir() const { return dir_; }
  std::string NewSchema();
  pid_t pid() const { return pid_; }

  // Runs SQL as the owner and returns the first field of the first row, if any.
  std::string Execute(const std::string& sql);
  // Returns once the query answers that; throws after a minute.
  void Await(const std::string& query, const std::string& answer);

  // As a crash: no checkpoint, every session cut. Start() brings it back.
  void Kill();
  void Start();
  // All processes of the server are stopped (SIGSTOP) until Resume().
  void Pause();
  void Resume();
  // CPU seconds used so far by the server's processes that live now.
  double CpuSeconds() const;

 private:
  void StartReaper();
  std::vector<pid_t> Processes() const;

  std::vector<std::string> settings_;
  std::string bin_;
  std::string dir_;
  pid_t pid_ = -1;
  pid_t reaper_ = -1;
  int reaper_pipe_ = -1;  // Its other end reads the end of file when this process is gone.
  int schemas_ = 0;
};

// A session that stays open, e.g. to hold a lock within a transaction.
class PostgresSession {
 public:
  explicit PostgresSession(const PostgresServer& server);
  // The first field of the first row, if any. Throws std::runtime_error.
  std::string Execute(const std::string& sql);

 private:
  std::unique_ptr<pg_conn, void (*)(pg_conn*)> connection_;
};

}  // namespace confab::testing_support
