#include "tests/support/postgres.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <grp.h>
#include <memory>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sstream>
#include <stdexcept>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <libpq-fe.h>

namespace confab::testing_support {
namespace {

namespace fs = std::filesystem;

constexpr auto kStartLimit = std::chrono::seconds(60);  // A loaded CI machine starts slowly.

// Kills the server and removes its directory once standard input ends.
constexpr const char* kReaperScript =
    "cat >/dev/null; pm=$(head -n1 \"$1/data/postmaster.pid\" 2>/dev/null); "
    "if [ -n \"$pm\" ] && [ \"$(readlink /proc/$pm/cwd)\" = \"$1/data\" ]; then "
    "kill -9 $pm $(cat /proc/$pm/task/$pm/children) 2>/dev/null; fi; rm -rf \"$1\"";

struct Account {
  uid_t uid = geteuid();
  gid_t gid = getegid();
};

// PostgreSQL refuses to run as root.
Account ServerAccount() {
  if (geteuid() != 0) return {};
  for (const char* name : {"postgres", "nobody"}) {
    if (const passwd* entry = getpwnam(name)) return {entry->pw_uid, entry->pw_gid};
  }
  throw std::runtime_error("running as root, and neither postgres nor nobody exists");
}

int MajorVersion(const fs::path& bin) { return std::atoi(bin.parent_path().filename().c_str()); }

std::string FindBin() {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (const auto& version : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
    if (fs::exists(version.path() / "bin/initdb")) found.push_back(version.path() / "bin");
  }
  if (!found.empty()) {
    return std::max_element(
               found.begin(), found.end(),
               [](const auto& a, const auto& b) { return MajorVersion(a) < MajorVersion(b); })
        ->string();
  }
  std::stringstream path(std::getenv("PATH") != nullptr ? std::getenv("PATH") : "");
  for (std::string dir; std::getline(path, dir, ':');) {
    if (fs::exists(fs::path(dir) / "initdb")) return dir;
  }
  throw std::runtime_error(
      "PostgreSQL is not installed (no initdb in /usr/lib/postgresql/*/bin or PATH): run "
      "tools/test "
      "or apt-get install postgresql");
}

// The child runs `argv` as the server's account in `dir`, with its output in dir/log.
pid_t Spawn(const std::vector<std::string>& argv, const std::string& dir) {
  const Account account = ServerAccount();
  std::vector<char*> pointers;
  for (const std::string& arg : argv) pointers.push_back(const_cast<char*>(arg.c_str()));
  pointers.push_back(nullptr);
  const std::string log = dir + "/log";
  const pid_t pid = fork();
  if (pid != 0) return pid;
  // Only calls that are safe between fork and exec from here on.
  setsid();  // An interrupt of the test is the reaper's business.
  if (geteuid() == 0 &&
      (setgroups(0, nullptr) != 0 || setgid(account.gid) != 0 || setuid(account.uid) != 0)) {
    _exit(126);
  }
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  const int in = open("/dev/null", O_RDONLY);
  dup2(in, 0);
  dup2(out, 1);
  dup2(out, 2);
  if (chdir(dir.c_str()) != 0) _exit(126);
  execv(pointers[0], pointers.data());
  _exit(127);
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Wakes up whenever the server writes to its log, which it does when it is ready and when it fails.
class LogWatch {
 public:
  explicit LogWatch(const std::string& path) : fd_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    if (inotify_add_watch(fd_, path.c_str(), IN_MODIFY) < 0) {
      throw std::runtime_error("cannot watch " + path);
    }
  }
  ~LogWatch() { close(fd_); }
  LogWatch(const LogWatch&) = delete;
  LogWatch& operator=(const LogWatch&) = delete;

  // Until the next line, or the time given has passed.
  void Await(std::chrono::milliseconds limit) {
    pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
    poll(&waiting, 1, static_cast<int>(limit.count()));
    alignas(inotify_event) char events[4096];
    while (read(fd_, events, sizeof events) > 0) {
    }
  }

 private:
  const int fd_;
};

std::string MakeDir() {
  // Short and in /tmp: a socket's path has 107 bytes at most.
  std::string dir = "/tmp/confab-postgres-XXXXXX";
  if (mkdtemp(dir.data()) == nullptr) throw std::runtime_error("mkdtemp failed for " + dir);
  const Account account = ServerAccount();
  if (chown(dir.c_str(), account.uid, account.gid) != 0) throw std::runtime_error("chown " + dir);
  return dir;
}

}  // namespace

PostgresServer& PostgresServer::Shared() {
  static PostgresServer server;
  return server;
}

PostgresServer::PostgresServer(std::vector<std::string> settings)
    : settings_(std::move(settings)), bin_(FindBin()), dir_(MakeDir()) {
  StartReaper();
  const pid_t initdb = Spawn({bin_ + "/initdb", "-D", dir_ + "/data", "-U", "confab", "-A", "trust",
                              "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"},
                             dir_);
  int result = 0;
  waitpid(initdb, &result, 0);
  if (result != 0) throw std::runtime_error("initdb failed: " + ReadFile(dir_ + "/log"));
  Start();
}

PostgresServer::~PostgresServer() {
  if (pid_ > 0) {
    Resume();
    kill(pid_, SIGQUIT);
    waitpid(pid_, nullptr, 0);
  }
  close(reaper_pipe_);
  waitpid(reaper_, nullptr, 0);
}

void PostgresServer::StartReaper() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
  reaper_pipe_ = ends[1];
  reaper_ = fork();
  if (reaper_ == 0) {
    setsid();
    dup2(ends[0], 0);
    execl("/bin/sh", "sh", "-c", kReaperScript, "sh", dir_.c_str(), nullptr);
    _exit(127);
  }
  close(ends[0]);
}

void PostgresServer::Start() {
  std::vector<std::string> argv = {bin_ + "/postgres", "-D", dir_ + "/data"};
  std::vector<std::string> settings = {"listen_addresses=",
                                       "unix_socket_directories=" + dir_,
                                       "shared_buffers=32MB",
                                       "max_connections=60",
                                       "wal_level=minimal",
                                       "max_wal_senders=0",
                                       "fsync=on"};
  settings.insert(settings.end(), settings_.begin(), settings_.end());
  for (const std::string& setting : settings) {
    argv.push_back("-c");
    argv.push_back(setting);
  }
  LogWatch log(dir_ + "/log");
  pid_ = Spawn(argv, dir_);
  const std::string conninfo = "host=" + dir_ + " user=confab dbname=postgres";
  const auto end = std::chrono::steady_clock::now() + kStartLimit;
  while (PQping(conninfo.c_str()) != PQPING_OK) {
    if (waitpid(pid_, nullptr, WNOHANG) == pid_ || std::chrono::steady_clock::now() > end) {
      pid_ = -1;
      throw std::runtime_error("PostgreSQL did not start: " + ReadFile(dir_ + "/log"));
    }
    // A limit only for a server that is killed from outside, which writes nothing.
    log.Await(std::chrono::seconds(1));
  }
}

std::string PostgresServer::NewSchema() {
  const std::string schema = "test_" + std::to_string(++schemas_);
  Execute("CREATE SCHEMA " + schema);
  return schema;
}

std::string PostgresServer::NewSchemaUrl() { return UrlOf(dir_, NewSchema()); }

std::string PostgresServer::UrlOf(const std::string& socket_dir, const std::string& schema) {
  return "postgresql:///postgres?host=" + socket_dir + "&user=confab&options=-csearch_path%3D" +
         schema;
}

std::string PostgresServer::Execute(const std::string& sql) {
  return PostgresSession(*this).Execute(sql);
}

void PostgresServer::Await(const std::string& query, const std::string& answer) {
  PostgresSession session(*this);
  const auto end = std::chrono::steady_clock::now() + kStartLimit;
  while (session.Execute(query) != answer) {
    if (std::chrono::steady_clock::now() > end) throw std::runtime_error("in vain: " + query);
    // PostgreSQL tells nobody who waits for a lock or ends a session: it has to be asked.
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

PostgresSession::PostgresSession(const PostgresServer& server)
    : connection_(
          PQconnectdb(("host=" + server.socket_dir() + " user=confab dbname=postgres").c_str()),
          &PQfinish) {}

std::string PostgresSession::Execute(const std::string& sql) {
  const std::unique_ptr<PGresult, void (*)(PGresult*)> result(
      PQexec(connection_.get(), sql.c_str()), &PQclear);
  const auto status = PQresultStatus(result.get());
  if (status == PGRES_COMMAND_OK) return {};
  if (status != PGRES_TUPLES_OK) {
    throw std::runtime_error(sql + ": " + PQerrorMessage(connection_.get()));
  }
  return PQntuples(result.get()) == 0 ? std::string() : PQgetvalue(result.get(), 0, 0);
}

void PostgresServer::Kill() {
  kill(pid_, SIGQUIT);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

std::vector<pid_t> PostgresServer::Processes() const {
  const std::string pid = std::to_string(pid_);
  std::vector<pid_t> processes = {pid_};
  std::stringstream children(ReadFile("/proc/" + pid + "/task/" + pid + "/children"));
  for (pid_t child = 0; children >> child;) processes.push_back(child);
  return processes;
}

void PostgresServer::Pause() {
  // The postmaster first, so that it starts no further ones.
  kill(pid_, SIGSTOP);
  for (const pid_t process : Processes()) kill(process, SIGSTOP);
}

void PostgresServer::Resume() {
  for (const pid_t process : Processes()) kill(process, SIGCONT);
}

double PostgresServer::CpuSeconds() const {
  double ticks = 0;
  for (const pid_t process : Processes()) {
    const std::string stat = ReadFile("/proc/" + std::to_string(process) + "/stat");
    const size_t name_end = stat.rfind(')');
    if (name_end == std::string::npos) continue;
    // Behind the name: state, then fields 4 to 13, then utime and stime.
    std::stringstream fields(stat.substr(name_end + 2));
    std::string skipped;
    for (int i = 0; i < 11; ++i) fields >> skipped;
    double user = 0;
    double system = 0;
    fields >> user >> system;
    ticks += user + system;
  }
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace confab::testing_support
