// What confabctl does without a server: usage, tokens.
#include "tools/confabctl/command_line.h"

#include <filesystem>
#include <fstream>
#include <stdlib.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/confabctl/run_confabctl.h"

namespace confab::ctl {
namespace {

using testing::HasSubstr;
using testing::Not;

class CommandLineTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"CONFAB_CONTROL", "CONFAB_TOKEN", "CONFAB_SERVICE_SECRET_FILE",
                             "CONFAB_USER_SECRET_FILE", "CONFAB_CONTEXT"}) {
      unsetenv(name);
    }
    std::string pattern = testing::TempDir() + "confabctl_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    secret_ = directory_ + "/secret";
    std::ofstream(secret_) << std::string(40, 's') << '\n';
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string directory_;
  std::string secret_;
};

TEST_F(CommandLineTest, SaysInOneLineWhatIsWrong) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{}, "say what to do; there are room"},
      {{"rome"}, "there is no rome"},
      {{"room", "creat", "x"}, "there is no creat; there are create, list"},
      {{"room", "create"}, "ROOM is required; see confabctl room create --help"},
      {{"room", "create", "x", "--role", "king"}, "king"},
      {{"message", "tail", "x", "--after", "-3"}, "0 or greater"},
      {{"message", "list", "x", "--limit", "0"}, "--limit"},
      {{"message", "post", "x", "y", "--name", "Ann"}, "--as"},
      {{"member", "add", "x"}, "nobody to add"},
      {{"member", "add", "x", "--from-file", "/nonexistent"}, "cannot be read"},
      {{"--timeout", "5x", "health"}, "--timeout"},
      {{"--control", "10.0.0.1:8081", "health"}, "loopback"},
      {{"token", "mint"}, "--user ID or --service NAME"},
      {{"token", "mint", "--user", "a", "--service", "b"}, "excludes"},
      {{"token", "mint", "--user", "a"}, "--user-secret-file"},
      {{"token", "mint", "--user", "a", "--user-secret-file", "/nonexistent"}, "/nonexistent"},
      {{"room", "show", "a\xff"}, "a\\xff: is not valid UTF-8"},
      {{"token", "inspect", "x"}, "three base64url parts"}};
  for (const auto& [args, text] : cases) {
    const Ran ran = RunConfabctl(args);
    EXPECT_EQ(ran.exit, Exit::kUsage) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(text));
    EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1) << ran.err;
    EXPECT_EQ(ran.out, "");
  }
}

TEST_F(CommandLineTest, TellsWhichLineOfAFileIsWrong) {
  const Ran ran = RunConfabctl({"member", "add", "x", "--from-file", "-"}, "ann\n\nben\tking\n");

  EXPECT_EQ(ran.exit, Exit::kUsage);
  EXPECT_THAT(ran.err, HasSubstr("line 3"));
}

TEST_F(CommandLineTest, NeedsATokenForWhatTalksToControl) {
  const Ran ran = RunConfabctl({"room", "list"});

  EXPECT_EQ(ran.exit, Exit::kNotAuthorised);
  EXPECT_THAT(ran.err, HasSubstr("CONFAB_SERVICE_SECRET_FILE"));
}

TEST_F(CommandLineTest, SaysWhenControlIsNotThere) {
  const std::string nowhere = "unix:" + directory_ + "/nobody.sock";

  const Ran ran = RunConfabctl({"--control", nowhere, "health"});

  EXPECT_EQ(ran.exit, Exit::kUnreachable);
  EXPECT_THAT(ran.err, HasSubstr(nowhere));
  EXPECT_THAT(ran.err, HasSubstr("--control"));
}

TEST_F(CommandLineTest, MintsATokenThatItsSecretVerifies) {
  const Ran minted = RunConfabctl({"token", "mint", "--user", "ann", "--name", "Ann", "--email",
                                   "ann@example.org", "--user-secret-file", secret_});
  ASSERT_EQ(minted.exit, Exit::kDone) << minted.err;

  const Ran shown =
      RunConfabctl({"token", "inspect", "-", "--user-secret-file", secret_}, minted.out);

  EXPECT_EQ(shown.exit, Exit::kDone) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("\"ann@example.org\""));
  EXPECT_THAT(shown.out, HasSubstr("verdict: valid"));
}

TEST_F(CommandLineTest, InspectRefusesWhatAnotherSecretSigned) {
  const std::string other = directory_ + "/other";
  std::ofstream(other) << std::string(40, 'o');
  const Ran minted = RunConfabctl({"token", "mint", "--service", "billing", "--scopes",
                                   "rooms:read", "--service-secret-file", secret_, "-o", "json"});
  ASSERT_EQ(minted.exit, Exit::kDone) << minted.err;
  const size_t start = minted.out.find("ey");
  const std::string token = minted.out.substr(start, minted.out.find('"', start) - start);

  const Ran shown = RunConfabctl({"token", "inspect", token, "--service-secret-file", other});

  EXPECT_EQ(shown.exit, Exit::kRefused);
  EXPECT_THAT(shown.out, HasSubstr("refused"));
  EXPECT_THAT(shown.out, HasSubstr("rooms:read"));
}

TEST_F(CommandLineTest, RefusesAScopeThatDoesNotExist) {
  const Ran ran = RunConfabctl({"token", "mint", "--service", "b", "--scopes", "rooms:read,all",
                                "--service-secret-file", secret_});

  EXPECT_EQ(ran.exit, Exit::kUsage);
  EXPECT_THAT(ran.err, HasSubstr("no scope all; there are rooms:read"));
}

TEST_F(CommandLineTest, AsksBeforeWhatCannotBeTakenBack) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"room", "delete", "lobby"}, "Delete room lobby with its members and its log, for good?"},
      {{"connection", "kick", "ann"}, "Close every connection of ann?"},
      {{"message", "delete", "lobby", "id"}, "Delete message id of room lobby for good?"},
      {{"room", "retention", "lobby", "--max-age", "30d"}, "Remove what is older from room lobby"},
      {{"user", "erase", "ann"}, "Empty every message of ann in every room, for good?"},
      {{"connection", "kick", "ann", "--connection", "e/1"}, "Close connection e/1 of ann?"}};
  for (const auto& [args, question] : cases) {
    for (const char* answer : {"n\n", "\n", ""}) {
      const Ran ran = RunConfabctl(args, answer);
      EXPECT_EQ(ran.exit, Exit::kUsage);
      EXPECT_THAT(ran.err, HasSubstr(question));
      EXPECT_THAT(ran.err, HasSubstr("nothing was done; --yes"));
    }
    EXPECT_EQ(RunConfabctl(args, "y\n").exit, Exit::kNotAuthorised) << "goes on";
    std::vector<std::string> with_yes = args;
    with_yes.emplace_back("--yes");
    EXPECT_THAT(RunConfabctl(with_yes).err, Not(HasSubstr(question)));
  }
}

TEST_F(CommandLineTest, SaysWhatATimeLooksLike) {
  for (const char* time : {"", "7", "-1h", "0s", "x", "4000d"}) {
    const Ran ran = RunConfabctl({"member", "ban", "lobby", "eve", "--for", time});
    EXPECT_EQ(ran.exit, Exit::kUsage) << time;
    EXPECT_THAT(ran.err, HasSubstr("10m, 2h or 7d")) << time;
  }
  EXPECT_EQ(RunConfabctl({"room", "slow-mode", "lobby", "often"}).exit, Exit::kUsage);
}

}  // namespace
}  // namespace confab::ctl
