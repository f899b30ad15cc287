// confabctl from end to end: against a Control on SQLite in this process, through JSON; and the
// binary itself, for its exit code after Ctrl-C.
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/control.h"
#include "process/metrics.h"
#include "storage/sqlite/file_lock.h"
#include "tests/tools/confabctl/help_pages.h"
#include "tests/tools/confabctl/run_confabctl.h"

namespace confab::ctl {
namespace {

using boost::json::value;
using testing::ElementsAre;
using testing::HasSubstr;

// The binary as a process of its own.
class Child {
 public:
  explicit Child(std::vector<std::string> args) {
    int out[2];
    EXPECT_EQ(pipe(out), 0);
    args.insert(args.begin(), "confabctl");
    std::vector<char*> argv;
    for (std::string& arg : args) argv.push_back(arg.data());
    argv.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(out[1], STDOUT_FILENO);
      execv(CONFABCTL_BINARY, argv.data());
      _exit(127);
    }
    close(out[1]);
    out_ = out[0];
  }
  ~Child() {
    close(out_);
    if (pid_ > 0) {
      Signal(SIGKILL);
      Wait();
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  std::string ReadLine() {
    std::string line;
    for (char c = 0; line.find('\n') == std::string::npos && read(out_, &c, 1) == 1;) line += c;
    return line;
  }
  void Signal(int signal) { kill(pid_, signal); }
  // Its exit code; -1 if a signal ended it.
  int Wait() {
    int status = 0;
    EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = 0;
  int out_ = -1;
};

class ConfabctlTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name :
         {"CONFAB_CONTROL", "CONFAB_TOKEN", "CONFAB_SERVICE_SECRET_FILE", "CONFAB_CONTEXT"}) {
      unsetenv(name);
    }
    std::string pattern = testing::TempDir() + "confabctl_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    secret_ = directory_ + "/service.secret";
    std::ofstream(secret_) << std::string(40, 's') << '\n';
    StartControl("127.0.0.1:0");
  }
  void TearDown() override {
    control_.reset();
    std::filesystem::remove_all(directory_);
  }

  void StartControl(const std::string& listen) {
    control::ControlConfig config;
    config.control_listen = listen;
    config.store = "sqlite:" + directory_ + "/confab.db";
    config.service_secret_file = secret_;
    config.lanes = 2;
    control::ControlHooks hooks;
    is_active_ = false;
    hooks.on_active = [this] {
      const std::lock_guard lock(mu_);
      is_active_ = true;
      changed_.notify_all();
    };
    control_ = std::make_unique<control::Control>(config, metrics_, hooks);
    const absl::Status started = control_->Start();
    ASSERT_TRUE(started.ok()) << started;
    std::unique_lock lock(mu_);
    ASSERT_TRUE(changed_.wait_for(lock, std::chrono::seconds(20), [this] { return is_active_; }));
  }

  Ran Ctl(std::vector<std::string> args, const std::string& input = "") {
    args.insert(args.end(), {"--control", control_->address(), "--service-secret-file", secret_,
                             "--timeout", "20s"});
    return RunConfabctl(args, input);
  }

  // As Ctl, must succeed; its JSON.
  value Json(std::vector<std::string> args, const std::string& input = "") {
    args.insert(args.end(), {"-o", "json"});
    const Ran ran = Ctl(std::move(args), input);
    EXPECT_EQ(ran.exit, Exit::kDone) << ran.err;
    boost::json::error_code error;
    value json = boost::json::parse(ran.out, error);
    EXPECT_FALSE(error) << ran.out;
    return json;
  }

  static std::string Text(const value& json) { return std::string(json.as_string()); }

  static std::vector<std::string> Texts(const value& list, const char* field) {
    std::vector<std::string> texts;
    for (const value& entry : list.as_array()) texts.push_back(Text(entry.at(field)));
    return texts;
  }

  std::string directory_;
  std::string secret_;
  process::Metrics metrics_;
  std::mutex mu_;
  std::condition_variable changed_;
  bool is_active_ = false;
  std::unique_ptr<control::Control> control_;
};

TEST_F(ConfabctlTest, ShowsAndMigratesTheSchemaOfAStore) {
  const std::string used = "sqlite:" + directory_ + "/confab.db";
  const std::string file = directory_ + "/new.db";
  const Ran live = RunConfabctl({"db", "status", "--store", used});
  EXPECT_EQ(live.exit, Exit::kDone) << live.err;
  EXPECT_THAT(live.out, HasSubstr("up to date"));
  EXPECT_EQ(RunConfabctl({"db", "migrate", "--store", used}).exit, Exit::kDone) << "nothing to do";

  EXPECT_EQ(RunConfabctl({"db", "status", "--store", "sqlite:" + file}).exit, Exit::kRefused);
  EXPECT_FALSE(std::filesystem::exists(file)) << "asking makes nothing";
  std::ofstream(file).flush();
  const Ran empty = RunConfabctl({"db", "status", "--store", "sqlite:" + file});
  EXPECT_EQ(empty.exit, Exit::kDone) << empty.err;
  EXPECT_THAT(empty.out, HasSubstr("missing: 0001_rooms"));
  EXPECT_EQ(RunConfabctl({"db", "migrate", "--store", "sqlite:" + file}, "n\n").exit, Exit::kUsage);
  {
    auto held = storage::FileLock::TryAcquire(file + ".lock");
    ASSERT_TRUE(held.ok() && *held);
    const Ran busy = RunConfabctl({"db", "migrate", "--store", "sqlite:" + file, "--yes"});
    EXPECT_EQ(busy.exit, Exit::kRefused);
    EXPECT_THAT(busy.err, HasSubstr("a control is active"));
  }
  const Ran migrated =
      RunConfabctl({"db", "migrate", "--store", "sqlite:" + file, "-o", "json"}, "y\n");

  EXPECT_EQ(migrated.exit, Exit::kDone) << migrated.err;
  const value state = boost::json::parse(migrated.out);
  EXPECT_EQ(state.at("version"), state.at("newest"));
  EXPECT_TRUE(state.at("missing").as_array().empty());
}

TEST_F(ConfabctlTest, TheWholeLifeOfARoom) {
  value room = Json({"room", "create", "lobby", "--members", "ann,ben", "--topic", "Hi"});
  EXPECT_EQ(Text(room.at("id")), "lobby");
  EXPECT_EQ(Text(room.at("visibility")), "ROOM_VISIBILITY_PRIVATE");
  EXPECT_EQ(Text(room.at("lastSeq")), "2");

  EXPECT_EQ(Json({"member", "add", "lobby", "cy", "ann"}).at("changed"), 1);
  EXPECT_EQ(Text(Json({"member", "role", "lobby", "cy", "owner"}).at("role")), "ROLE_OWNER");
  EXPECT_EQ(Json({"member", "kick", "lobby", "ben", "dan"}).at("removed"), 1);
  EXPECT_THAT(Texts(Json({"member", "list", "lobby"}).at("members"), "userId"),
              ElementsAre("ann", "cy"));
  EXPECT_EQ(Text(Json({"room", "show", "lobby"}).at("memberCount")), "2");

  const value posted = Json({"message", "post", "lobby", "hello", "--as", "ann", "--name", "Ann"});
  EXPECT_EQ(Text(posted.at("seq")), "6");
  const value first = Json({"message", "post", "lobby", "built", "--key", "build-17"});
  const value again = Json({"message", "post", "lobby", "built", "--key", "build-17"});
  EXPECT_EQ(Text(first.at("seq")), "7");
  EXPECT_EQ(again, first);
  Json({"message", "post", "lobby", "-"}, "from standard input\n");

  const value list = Json({"message", "list", "lobby", "--after", "5"});
  ASSERT_THAT(Texts(list.at("events"), "seq"), ElementsAre("6", "7", "8"));
  const value& hello = list.at("events").at(0);
  EXPECT_EQ(Text(hello.at("actor").at("name")), "Ann");
  EXPECT_EQ(Text(hello.at("messagePosted").at("content")), "hello");
  EXPECT_EQ(Text(hello.at("messagePosted").at("messageId")), Text(posted.at("messageId")));
  const value& system = list.at("events").at(2).at("messagePosted");
  EXPECT_EQ(Text(system.at("type")), "system");
  EXPECT_EQ(Text(system.at("content")), "from standard input");

  EXPECT_THAT(Texts(Json({"room", "list"}).at("rooms"), "id"), ElementsAre("lobby"));
  EXPECT_THAT(Texts(Json({"room", "list", "--user", "ben"}).at("rooms"), "id"), ElementsAre());
  Json({"room", "delete", "lobby", "--yes"});
  EXPECT_EQ(Ctl({"room", "show", "lobby"}).exit, Exit::kRefused);
}

TEST_F(ConfabctlTest, BansMutesAndRules) {
  Json({"room", "create", "lobby", "--members", "ann,ben", "--public"});
  const value room = Json({"room", "update", "lobby", "--topic", "tea", "--set", "a=1", "--set",
                           "b=x=y", "--slow-mode", "10s", "--visibility", "private"});
  EXPECT_EQ(Text(room.at("topic")), "tea");
  EXPECT_EQ(Text(room.at("metadata").at("b")), "x=y");
  EXPECT_EQ(room.at("slowModeSeconds"), 10);
  EXPECT_EQ(Text(room.at("visibility")), "ROOM_VISIBILITY_PRIVATE");
  EXPECT_EQ(Json({"room", "update", "lobby", "--unset", "a"}).at("metadata").as_object().size(),
            1U);
  EXPECT_EQ(Json({"room", "archive", "lobby"}).at("isArchived"), true);
  EXPECT_THAT(Ctl({"room", "list"}).out, HasSubstr("archived, slow 10s"));
  EXPECT_THAT(Ctl({"message", "post", "lobby", "hi", "--as", "ann"}).err,
              HasSubstr("ROOM_ARCHIVED"));
  EXPECT_EQ(Json({"room", "unarchive", "lobby"}).at("isArchived"), false);
  EXPECT_EQ(Ctl({"room", "slow-mode", "lobby", "off"}).out, "room lobby is not in slow mode\n");
  EXPECT_EQ(Json({"room", "read-only", "lobby", "on"}).at("isReadOnly"), true);

  EXPECT_TRUE(Json({"member", "mute", "lobby", "ann", "--for", "2h"})
                  .at("muted")
                  .as_object()
                  .contains("until"));
  EXPECT_THAT(Ctl({"member", "list", "lobby"}).out, HasSubstr("MUTED"));
  EXPECT_EQ(Ctl({"member", "unmute", "lobby", "ann"}).out, "ann is not muted in lobby\n");
  EXPECT_EQ(Ctl({"member", "ban", "lobby", "ben"}).out, "ben is banned: until lifted in lobby\n");
  EXPECT_THAT(Texts(Json({"member", "bans", "lobby"}).at("members"), "userId"), ElementsAre("ben"));
  EXPECT_EQ(Ctl({"member", "unban", "lobby", "ben"}).out, "ben is not banned in lobby\n");
  EXPECT_THAT(Texts(Json({"member", "bans", "lobby"}).at("members"), "userId"), ElementsAre());

  const value audit = Json({"audit", "list", "--user", "ben"});
  EXPECT_THAT(Texts(audit.at("entries"), "act"), ElementsAre("member.unban", "member.ban"));
  EXPECT_EQ(Text(audit.at("entries").at(0).at("service")), "confabctl");
  const std::string lines = Ctl({"audit", "list", "--room", "lobby", "-o", "jsonl"}).out;
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 11);
  EXPECT_THAT(Ctl({"audit", "list", "--limit", "1"}).out, HasSubstr("service confabctl"));
}

// From the top, by what the help says and nothing else: each step is found by a word, each command
// is an example as printed.
TEST_F(ConfabctlTest, ANewOperatorFindsHowToBan) {
  Json({"room", "create", "lobby", "--members", "ann,eve"});
  const auto find = [](const std::string& help, const std::string& word) {
    for (const HelpPlace& place : PlacesOf(help)) {
      if (place.what.find(word) != std::string::npos) return place.name;
    }
    ADD_FAILURE() << "nothing says " << word << ":\n" << help;
    return std::string();
  };
  const auto run_example = [this](const std::string& noun, const std::string& verb) {
    const auto examples = ExamplesOf(RunConfabctl({noun, verb, "--help"}).out);
    ASSERT_FALSE(examples.empty());
    const Ran ran = Ctl(RunsOf(examples.front()).at(0));
    EXPECT_EQ(ran.exit, Exit::kDone) << ran.err;
  };

  const std::string noun = find(RunConfabctl({"--help"}).out, "bans");
  const std::string verbs = RunConfabctl({noun, "--help"}).out;
  run_example(noun, find(verbs, "Removes a user from a room"));

  EXPECT_THAT(
      Texts(Json({noun, find(verbs, "Lists who is banned"), "lobby"}).at("members"), "userId"),
      ElementsAre("eve"));
  EXPECT_THAT(Texts(Json({"member", "list", "lobby"}).at("members"), "userId"), ElementsAre("ann"));
  run_example(noun, find(verbs, "Lifts a ban"));
  EXPECT_THAT(Texts(Json({"member", "bans", "lobby"}).at("members"), "userId"), ElementsAre());
}

TEST_F(ConfabctlTest, EveryListHasTheSameThreeForms) {
  Json({"room", "create", "lobby", "--members", "ann"});
  Json({"member", "ban", "lobby", "eve"});
  Json({"message", "post", "lobby", "hi"});
  struct List {
    std::vector<std::string> args;
    const char* name;
    size_t least;
  };
  const std::vector<List> lists = {{{"room", "list"}, "rooms", 1},
                                   {{"member", "list", "lobby"}, "members", 1},
                                   {{"member", "bans", "lobby"}, "members", 1},
                                   {{"message", "list", "lobby"}, "events", 3},
                                   {{"presence", "get", "ann", "ben"}, "users", 2},
                                   {{"presence", "list", "lobby"}, "users", 0},
                                   {{"connection", "list"}, "connections", 0},
                                   {{"edge", "list"}, "edges", 0},
                                   {{"user", "show", "ann"}, "rooms", 1},
                                   {{"audit", "list"}, "entries", 2}};
  for (const List& list : lists) {
    const value json = Json(list.args);
    const auto& entries = json.at(list.name).as_array();
    EXPECT_GE(entries.size(), list.least) << list.name;
    std::vector<std::string> args = list.args;
    args.insert(args.end(), {"-o", "jsonl"});
    std::istringstream lines(Ctl(args).out);
    size_t count = 0;
    for (std::string line; std::getline(lines, line); ++count) {
      EXPECT_EQ(boost::json::parse(line), entries.at(count)) << list.name;
    }
    EXPECT_EQ(count, entries.size()) << list.name;
    const std::string table = Ctl(list.args).out;
    const std::string head = table.substr(0, table.find('\n'));
    EXPECT_EQ(head.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ "), std::string::npos) << head;
  }
}

TEST_F(ConfabctlTest, TailShowsTheLogAndThenWhatIsNew) {
  Json({"room", "create", "lobby", "--members", "ann"});
  Json({"message", "post", "lobby", "one"});
  Ran tailed;
  std::thread tail([&] {
    tailed = Ctl({"message", "tail", "lobby", "--after", "0", "--count", "4", "-o", "json"});
  });
  Json({"message", "post", "lobby", "two"});
  Json({"message", "post", "lobby", "three"});
  tail.join();

  EXPECT_EQ(tailed.exit, Exit::kDone) << tailed.err;
  std::istringstream lines(tailed.out);
  std::vector<std::string> seqs;
  for (std::string line; std::getline(lines, line);) {
    seqs.push_back(Text(boost::json::parse(line).at("seq")));
  }
  EXPECT_THAT(seqs, ElementsAre("1", "2", "3", "4"));
}

TEST_F(ConfabctlTest, FeedTailCommitsNothingThatStandsNowhere) {
  Json({"room", "create", "lobby"});
  Json({"message", "post", "lobby", "one"});
  std::istringstream in;
  std::ofstream full_disk("/dev/full");
  std::ostringstream err;

  const Exit exit = ctl::Run(
      {"feed", "tail", "--consumer", "search", "--commit", "--from-start", "--stop", "--control",
       control_->address(), "--service-secret-file", secret_, "--timeout", "20s"},
      Streams{in, full_disk, err});

  EXPECT_EQ(exit, Exit::kRefused);
  EXPECT_THAT(err.str(), HasSubstr("takes nothing more"));
  EXPECT_THAT(Ctl({"feed", "list"}).out, testing::Not(HasSubstr("search")));
}

TEST_F(ConfabctlTest, FeedTailSaysByItsExitCodeThatTheCursorStayed) {
  Json({"room", "create", "lobby"});
  Json({"message", "post", "lobby", "one"});
  const auto tail = [&](const std::string& consumer) {
    return Ctl({"feed", "tail", "--consumer", consumer, "--commit", "--from-start", "--stop"});
  };
  for (int i = 0; i < 64; ++i) {  // As many as there may be.
    EXPECT_EQ(tail("c" + std::to_string(i)).exit, Exit::kDone) << i;
  }

  const Ran refused = tail("one more");

  EXPECT_EQ(refused.exit, Exit::kRefused);
  EXPECT_THAT(refused.out, HasSubstr("lobby"));
  EXPECT_NE(refused.err, "");
}

TEST_F(ConfabctlTest, PushTakesNoTimeToLiveThatWouldMeanForEver) {
  for (const char* ttl : {"100us", "0s", "soon"}) {
    EXPECT_EQ(Ctl({"push", "user", "ann", "hi", "--ttl", ttl}).exit, Exit::kUsage) << ttl;
  }
  EXPECT_EQ(Ctl({"push", "user", "ann", "hi", "--ttl", "1ms"}).exit, Exit::kDone);
}

TEST_F(ConfabctlTest, TailGoesOnAfterControlWasAway) {
  const std::string socket = "unix:" + directory_ + "/control.sock";
  control_.reset();
  StartControl(socket);
  Json({"room", "create", "lobby"});
  Json({"message", "post", "lobby", "one"});
  Child tail({"message", "tail", "lobby", "--after", "0", "--count", "2", "--control", socket,
              "--service-secret-file", secret_});
  EXPECT_THAT(tail.ReadLine(), HasSubstr("system: one"));

  control_->Stop(absl::Seconds(5));
  control_.reset();
  StartControl(socket);
  Json({"message", "post", "lobby", "two"});

  EXPECT_THAT(tail.ReadLine(), HasSubstr("2  "));
  EXPECT_EQ(tail.Wait(), 0);
}

TEST_F(ConfabctlTest, AddsMembersFromAFileInBatches) {
  Json({"room", "create", "big"});
  std::string lines;
  for (int i = 0; i < 2500; ++i) lines += "user-" + std::to_string(i) + "\n";
  lines += "boss\towner\n\nuser-7\n";

  const value added = Json({"member", "add", "big", "--from-file", "-"}, lines);

  EXPECT_EQ(added.at("changed"), 2501);
  EXPECT_EQ(Text(Json({"room", "show", "big"}).at("memberCount")), "2501");
  EXPECT_EQ(Json({"member", "list", "big"}).at("members").as_array().size(), 2501U);
  EXPECT_EQ(Json({"member", "add", "big", "--from-file", "-"}, lines).at("changed"), 0);
}

TEST_F(ConfabctlTest, ListsMoreThanOnePage) {
  Json({"room", "create", "long"});
  std::string lines;
  for (int i = 0; i < 700; ++i) lines += "u" + std::to_string(i) + "\n";
  Json({"member", "add", "long", "--from-file", "-"}, lines);

  const value newest = Json({"message", "list", "long", "--limit", "600"});
  EXPECT_EQ(newest.at("events").as_array().size(), 600U);
  EXPECT_EQ(Text(newest.at("events").at(0).at("seq")), "101");
  EXPECT_EQ(newest.at("more"), true);
  const value oldest = Json({"message", "list", "long", "--after", "0", "--limit", "10000"});
  EXPECT_EQ(oldest.at("events").as_array().size(), 700U);
  EXPECT_EQ(oldest.at("more"), false);
}

TEST_F(ConfabctlTest, RefusalsAreOneLineWithTheReason) {
  Json({"room", "create", "lobby", "--members", "ann"});
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"room", "create", "lobby"}, "ROOM_EXISTS"},
      {{"room", "create", std::string(129, 'x')}, "BAD_REQUEST"},
      {{"room", "show", "nowhere"}, "ROOM_NOT_FOUND"},
      {{"room", "delete", "nowhere", "--yes"}, "ROOM_NOT_FOUND"},
      {{"member", "list", "nowhere"}, "ROOM_NOT_FOUND"},
      {{"member", "add", "nowhere", "ann"}, "ROOM_NOT_FOUND"},
      {{"member", "role", "lobby", "ben", "owner"}, "MEMBER_NOT_FOUND"},
      {{"member", "mute", "lobby", "ben"}, "MEMBER_NOT_FOUND"},
      {{"member", "ban", "nowhere", "ben"}, "ROOM_NOT_FOUND"},
      {{"room", "archive", "nowhere"}, "ROOM_NOT_FOUND"},
      {{"room", "update", "lobby", "--topic", std::string(257, 'x')}, "BAD_REQUEST"},
      {{"message", "post", "lobby", "hi", "--as", "ben"}, "NOT_A_MEMBER"},
      {{"message", "post", "lobby", std::string(4001, 'x')}, "CONTENT_SIZE"},
      {{"message", "post", "nowhere", "hi"}, "ROOM_NOT_FOUND"},
      {{"message", "list", "nowhere"}, "ROOM_NOT_FOUND"},
      {{"message", "tail", "nowhere"}, "ROOM_NOT_FOUND"}};
  for (const auto& [args, reason] : cases) {
    const Ran ran = Ctl(args);
    EXPECT_EQ(ran.exit, Exit::kRefused) << args[0] << ' ' << args[1];
    EXPECT_THAT(ran.err, HasSubstr("(" + reason + ")")) << args[0] << ' ' << args[1];
    EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1) << ran.err;
    EXPECT_EQ(ran.out, "");
  }
}

TEST_F(ConfabctlTest, ExitCodesTellWhoMayNot) {
  const std::string token = RunConfabctl({"token", "mint", "--service", "reader", "--scopes",
                                          "rooms:read", "--service-secret-file", secret_})
                                .out;
  const auto with = [&](std::string shown, std::vector<std::string> args) {
    if (!shown.empty() && shown.back() == '\n') shown.pop_back();
    args.insert(args.end(), {"--control", control_->address(), "--token", shown});
    return RunConfabctl(args);
  };

  EXPECT_EQ(with(token, {"room", "list"}).exit, Exit::kDone);
  const Ran refused = with(token, {"room", "create", "x"});
  EXPECT_EQ(refused.exit, Exit::kNotAuthorised);
  EXPECT_THAT(refused.err, HasSubstr("rooms:write"));
  EXPECT_EQ(with("nonsense", {"room", "list"}).exit, Exit::kNotAuthorised);
  EXPECT_EQ(RunConfabctl({"health", "--control", control_->address()}).out, "serving\n");
}

TEST_F(ConfabctlTest, CtrlCEndsATailWithZero) {
  Json({"room", "create", "lobby"});
  Json({"message", "post", "lobby", "one"});
  Child tail({"message", "tail", "lobby", "--after", "0", "--control", control_->address(),
              "--service-secret-file", secret_});
  EXPECT_THAT(tail.ReadLine(), HasSubstr("system: one"));

  tail.Signal(SIGINT);

  EXPECT_EQ(tail.Wait(), 0);
}

}  // namespace
}  // namespace confab::ctl
