// How confabctl finds control: flags, contexts, environment.
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

class SettingsTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"CONFAB_CONTROL", "CONFAB_TOKEN", "CONFAB_SERVICE_SECRET_FILE",
                             "CONFAB_CONTEXT", "CONFAB_CONTEXTS_FILE"}) {
      unsetenv(name);
    }
    std::string pattern = testing::TempDir() + "confabctl_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    setenv("XDG_CONFIG_HOME", directory_.c_str(), 1);
    std::filesystem::create_directory(directory_ + "/confab");
    std::ofstream(directory_ + "/confab/service.secret") << std::string(40, 's');
  }
  void TearDown() override {
    for (const char* name : {"CONFAB_CONTROL", "CONFAB_TOKEN", "CONFAB_CONTEXT"}) unsetenv(name);
    unsetenv("XDG_CONFIG_HOME");
    std::filesystem::remove_all(directory_);
  }

  void WriteContexts(const std::string& text) {
    std::ofstream(directory_ + "/confab/contexts.toml") << text;
  }
  std::string Socket(const std::string& name) { return "unix:" + directory_ + "/" + name; }

  // Two contexts: one signs tokens, one has none.
  void WriteTwo() {
    WriteContexts("[contexts.staging]\ncontrol = \"" + Socket("staging") +
                  "\"\nservice-secret-file = \"service.secret\"\n[contexts.bare]\ncontrol = \"" +
                  Socket("bare") + "\"\n");
  }

  std::string directory_;
};

TEST_F(SettingsTest, AContextSaysWhereControlIsAndWhatSignsTokens) {
  WriteTwo();

  const Ran ran = RunConfabctl({"--context", "staging", "room", "list"});

  EXPECT_EQ(ran.exit, Exit::kUnreachable) << "so there was a token: " << ran.err;
  EXPECT_THAT(ran.err, HasSubstr(Socket("staging")));
}

TEST_F(SettingsTest, AContextKeepsOutWhatTheEnvironmentSays) {
  WriteTwo();
  setenv("CONFAB_CONTROL", Socket("production").c_str(), 1);
  setenv("CONFAB_TOKEN", "of-production", 1);

  const Ran without = RunConfabctl({"room", "list"});
  const Ran with = RunConfabctl({"room", "list", "--context", "bare"});
  setenv("CONFAB_CONTEXT", "staging", 1);
  const Ran by_variable = RunConfabctl({"room", "list"});

  EXPECT_THAT(without.err, HasSubstr(Socket("production")));
  EXPECT_EQ(with.exit, Exit::kNotAuthorised) << "the token is not shown to another control";
  EXPECT_THAT(with.err, HasSubstr("context bare has none"));
  EXPECT_THAT(by_variable.err, HasSubstr(Socket("staging")));
}

TEST_F(SettingsTest, AFlagGoesBeforeTheContext) {
  WriteTwo();

  const Ran elsewhere =
      RunConfabctl({"--context", "staging", "--control", Socket("other"), "room", "list"});
  const Ran secret = RunConfabctl(
      {"--context", "staging", "--service-secret-file", directory_ + "/nothing", "room", "list"});

  EXPECT_THAT(elsewhere.err, HasSubstr(Socket("other")));
  EXPECT_THAT(secret.err, HasSubstr(directory_ + "/nothing"));
}

TEST_F(SettingsTest, AFlagForTheSecretGoesBeforeATokenOfTheEnvironment) {
  setenv("CONFAB_TOKEN", "of-production", 1);

  const Ran ran = RunConfabctl({"room", "list", "--service-secret-file", directory_ + "/nothing"});

  EXPECT_EQ(ran.exit, Exit::kUsage);
  EXPECT_THAT(ran.err, HasSubstr("--service-secret-file"));
}

TEST_F(SettingsTest, ListsContextsWithoutTheirTokens) {
  WriteContexts(
      "[contexts.b]\ncontrol = \"127.0.0.1:1\"\ntoken = \"hidden\"\n"
      "[contexts.a]\ncontrol = \"127.0.0.1:2\"\n");

  const Ran table = RunConfabctl({"context", "list", "--context", "b"});
  const Ran lines = RunConfabctl({"context", "list", "-o", "jsonl"});

  EXPECT_EQ(table.exit, Exit::kDone) << table.err;
  EXPECT_EQ(table.out,
            "CONTEXT  CONTROL      TOKEN  TLS  CHOSEN\n"
            "a        127.0.0.1:2  -      no   no\n"
            "b        127.0.0.1:1  given  no   yes\n");
  EXPECT_EQ(std::count(lines.out.begin(), lines.out.end(), '\n'), 2);
  EXPECT_THAT(lines.out, Not(HasSubstr("hidden")));
}

TEST_F(SettingsTest, SaysInOneLineWhatIsWrongWithAContext) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "there is no staging in"},
      {"[contexts.one]\ncontrol = \"x:1\"\n", "there are one"},
      {"[contexts.staging]\ncontrol = \"x:1\"\ncontroll = \"y\"\n",
       "contexts.toml:3: there is no controll; there are control, token"},
      {"[contexts.staging]\ntoken = \"t\"\n", "control: say where it listens"},
      {"[contexts.staging]\ncontrol = 8081\n", "contexts.toml:2: control: give a text"},
      {"control = \"x:1\"\n", "only [contexts.NAME] stands here"},
      {"[contexts]\nstaging = 1\n", "write [contexts.NAME]"},
      {"[contexts.staging\n", "contexts.toml:1: "}};
  for (const auto& [text, wrong] : cases) {
    WriteContexts(text);
    const Ran ran = RunConfabctl({"--context", "staging", "room", "list"});
    EXPECT_EQ(ran.exit, Exit::kUsage) << text;
    EXPECT_THAT(ran.err, HasSubstr(wrong));
    EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1) << ran.err;
  }
  std::filesystem::remove(directory_ + "/confab/contexts.toml");
  EXPECT_EQ(RunConfabctl({"--context", "staging", "room", "list"}).exit, Exit::kUsage);
  EXPECT_EQ(RunConfabctl({"context", "list"}).exit, Exit::kDone);
  EXPECT_EQ(RunConfabctl({"--context", "staging", "completion", "bash"}).exit, Exit::kDone);
}

}  // namespace
}  // namespace confab::ctl
