#include "tools/loadgen/command_line.h"

#include <sstream>
#include <stdlib.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/process/temp_dir.h"

namespace confab::loadgen {
namespace {

using testing::HasSubstr;

struct Ran {
  int exit = 0;
  std::string out;
  std::string err;
};

Ran RunLoadgen(const std::vector<std::string>& args) {
  unsetenv("CONFAB_USER_SECRET_FILE");
  std::ostringstream out;
  std::ostringstream err;
  Ran ran;
  ran.exit = static_cast<int>(Run(args, Streams{out, err}));
  ran.out = out.str();
  ran.err = err.str();
  return ran;
}

constexpr const char* kScenarios[] = {"fanout", "pairs", "chat", "durable", "idle", "handshake"};

TEST(LoadgenCommandLine, TeachesWithExamples) {
  const Ran top = RunLoadgen({"--help"});
  EXPECT_EQ(top.exit, 0);
  EXPECT_THAT(top.out, HasSubstr("Usage: confab-loadgen [OPTIONS] SCENARIO"));
  EXPECT_THAT(top.out, HasSubstr("Exit codes:"));
  EXPECT_THAT(top.out, HasSubstr("--rate-sends off"));
  EXPECT_THAT(top.out, HasSubstr("(CONFAB_USER_SECRET_FILE)"));
  for (const char* scenario : kScenarios) {
    const Ran help = RunLoadgen({scenario, "--help"});
    EXPECT_THAT(top.out, HasSubstr(scenario));
    EXPECT_THAT(help.out, HasSubstr(std::string("  confab-loadgen ") + scenario)) << "an example";
  }
  EXPECT_THAT(RunLoadgen({"--version"}).out, testing::StartsWith("confab-loadgen "));
}

TEST(LoadgenCommandLine, NamesWhatIsWrong) {
  const std::vector<std::pair<std::vector<std::string>, const char*>> wrong = {
      {{}, "say what to do; there are fanout, pairs"},
      {{"flood"}, "there is no flood; there are fanout"},
      {{"fanout", "--mambers", "3"}, "--mambers"},
      {{"fanout", "--members", "-1"}, "--members"},
      {{"fanout", "--bytes", "3"}, "--bytes"},
      {{"fanout", "--duration", "soon"}, "--duration soon: give a time"},
      {{"fanout", "--duration", "0s"}, "--duration 0s"},
      {{"fanout", "--warm-up", "-1s"}, "--warm-up"},
      {{"fanout"}, "set --user-secret-file"},
      {{"fanout", "--run", "a/b"}, "--run: give 1 to 32 letters"},
      {{"fanout", "--run", std::string(33, 'a')}, "--run: give 1 to 32 letters"},
      {{"fanout", "--pid", "x"}, "--pid x"},
      {{"pairs", "--users", "3"}, "--users: 3 do not fill rooms of 2"},
      {{"handshake", "--users", "3"}, "--users 3: give at least as many as --concurrency, 100"},
      {{"idle", "--report", "/nowhere/at/all.html"}, "--report /nowhere/at/all.html"}};

  for (const auto& [args, says] : wrong) {
    const Ran ran = RunLoadgen(args);
    EXPECT_EQ(ran.exit, 2) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(says));
    EXPECT_EQ(ran.out, "");
  }
}

TEST(LoadgenCommandLine, SaysWhatToDoWhereNobodyListens) {
  const process::TempDir dir;
  const std::string secret = dir.Write("secret", "a-secret-of-more-than-thirty-two-bytes");

  // Port 1 is nobody's.
  const Ran ran = RunLoadgen({"pairs", "--url", "ws://127.0.0.1:1", "--user-secret-file", secret});

  EXPECT_EQ(ran.exit, 3);
  EXPECT_THAT(ran.err, HasSubstr("ws://127.0.0.1:1 cannot be reached"));
  EXPECT_THAT(ran.err, HasSubstr("tools/up"));
}

TEST(LoadgenCommandLine, PrintsCompletionAndManual) {
  const Ran bash = RunLoadgen({"completion", "bash"});
  const Ran man = RunLoadgen({"man"});

  EXPECT_THAT(bash.out, HasSubstr("complete -F _confab_loadgen confab-loadgen"));
  EXPECT_THAT(RunLoadgen({"completion", "fish"}).out, HasSubstr("complete -c confab-loadgen -f"));
  EXPECT_THAT(man.out, HasSubstr(".TH CONFAB\\-LOADGEN 1"));
  EXPECT_THAT(man.out, HasSubstr(".SH SCENARIOS\n"));
  EXPECT_THAT(man.out, HasSubstr(".SS confab\\-loadgen fanout [OPTIONS]"));
  for (const char* scenario : kScenarios) {
    EXPECT_THAT(bash.out, HasSubstr(std::string("\"") + scenario + "\") words="));
  }
}

}  // namespace
}  // namespace confab::loadgen
