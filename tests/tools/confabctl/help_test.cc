// confabctl's help, completion and manual: one tree, of which each shows all.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <stdlib.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/confabctl/help_pages.h"
#include "tests/tools/confabctl/run_confabctl.h"

namespace confab::ctl {
namespace {

using testing::HasSubstr;
using testing::Not;

class HelpTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name :
         {"CONFAB_CONTEXT", "CONFAB_CONTEXTS_FILE", "CONFAB_SERVICE_SECRET_FILE"}) {
      unsetenv(name);
    }
    std::string pattern = testing::TempDir() + "confabctl_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    setenv("CONFAB_CONTROL", ("unix:" + directory_ + "/nobody.sock").c_str(), 1);
    setenv("CONFAB_TOKEN", "nothing", 1);
  }
  void TearDown() override {
    unsetenv("CONFAB_CONTROL");
    unsetenv("CONFAB_TOKEN");
    std::filesystem::remove_all(directory_);
  }

  using Path = std::vector<std::string>;

  static std::string HelpOf(Path path) {
    path.push_back("--help");
    const Ran ran = RunConfabctl(path);
    EXPECT_EQ(ran.exit, Exit::kDone);
    EXPECT_EQ(ran.err, "");
    return ran.out;
  }

  // Every place of the tree, found through the help pages alone.
  static void Walk(const Path& path,
                   const std::function<void(const Path&, const std::string&)>& visit) {
    const std::string help = HelpOf(path);
    visit(path, help);
    for (const HelpPlace& place : PlacesOf(help)) {
      Path below = path;
      below.push_back(place.name);
      Walk(below, visit);
    }
  }

  static std::string Joined(const Path& path) {
    std::string text;
    for (const std::string& word : path) text += (text.empty() ? "" : " ") + word;
    return text;
  }

  std::string directory_;
};

TEST_F(HelpTest, EveryVerbIsFoundFromTheTopAndHasExamples) {
  size_t verbs = 0;
  Walk({}, [&](const Path& path, const std::string& help) {
    EXPECT_THAT(help, HasSubstr("Usage: confabctl")) << Joined(path);
    for (const HelpPlace& place : PlacesOf(help)) {
      EXPECT_GT(place.what.size(), 8U) << Joined(path) << ' ' << place.name;
    }
    if (!PlacesOf(help).empty()) return;
    ++verbs;
    EXPECT_FALSE(ExamplesOf(help).empty()) << Joined(path);
    EXPECT_THAT(help, HasSubstr("confabctl " + Joined(path))) << "an example of itself";
  });
  EXPECT_GE(verbs, 30U);
  EXPECT_THAT(HelpOf({}), HasSubstr("Exit codes:"));
  EXPECT_THAT(RunConfabctl({"--version"}).out, HasSubstr("confabctl "));
}

TEST_F(HelpTest, EveryExampleIsACommandThatExists) {
  size_t runs = 0;
  Walk({}, [&](const Path& path, const std::string& help) {
    for (const std::string& example : ExamplesOf(help)) {
      for (const Path& args : RunsOf(example)) {
        ++runs;
        const Ran ran = RunConfabctl(args, "y\n");
        // What is wrong about the words themselves ends so; there is no control to do the rest.
        EXPECT_THAT(ran.err, Not(HasSubstr("; see confabctl"))) << Joined(path) << ": " << example;
      }
    }
  });
  EXPECT_GE(runs, 60U);
}

TEST_F(HelpTest, ShowsChoicesDefaultsAndVariables) {
  const std::string top = HelpOf({});
  EXPECT_THAT(top, HasSubstr("-o,--output table|json|jsonl=table"));
  EXPECT_THAT(top, HasSubstr("(CONFAB_CONTROL)"));
  EXPECT_THAT(HelpOf({"member", "role"}), HasSubstr("ROLE: reader|member|moderator|owner"));
  EXPECT_THAT(HelpOf({"message", "list"}), HasSubstr("--limit NUMBER=50"));
}

TEST_F(HelpTest, CompletionKnowsEveryVerbAndWhatMayFollow) {
  const std::string bash = RunConfabctl({"completion", "bash"}).out;
  const std::string fish = RunConfabctl({"completion", "fish"}).out;

  Walk({}, [&](const Path& path, const std::string& /*help*/) {
    EXPECT_THAT(bash, HasSubstr("\"" + Joined(path) + "\") words=")) << Joined(path);
    if (path.empty()) return;
    EXPECT_THAT(fish, HasSubstr(" -a " + path.back() + " ")) << Joined(path);
  });
  EXPECT_THAT(fish, HasSubstr("-l output -s o -x -a 'table json jsonl'"));
  EXPECT_THAT(RunConfabctl({"completion", "zsh"}).out, HasSubstr("#compdef confabctl"));
}

// What bash itself offers.
TEST_F(HelpTest, CompletionCompletesInBash) {
  const std::string script = directory_ + "/completion.bash";
  std::ofstream(script) << RunConfabctl({"completion", "bash"}).out;
  const auto offered = [&](const std::string& words) {
    const std::string out = directory_ + "/out";
    const std::string command = "bash -c 'source " + script + "; COMP_WORDS=(confabctl " + words +
                                "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _confabctl; "
                                "echo \" ${COMPREPLY[*]} \"' > " +
                                out;
    EXPECT_EQ(system(command.c_str()), 0);
    std::ifstream in(out);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };

  EXPECT_EQ(offered("mem"), " member \n");
  EXPECT_THAT(offered("member \"\""), HasSubstr(" kick "));
  EXPECT_THAT(offered("member remove --h"), HasSubstr(" --help "));
  EXPECT_EQ(offered("member role lobby ann mod"), " moderator \n");
  EXPECT_EQ(offered("member add lobby --role o"), " owner \n");
  EXPECT_EQ(offered("room list -o jsonl -o js"), " json jsonl \n");
  EXPECT_THAT(offered("member add lobby --from-file " + directory_ + "/comp"), HasSubstr(script));
}

TEST_F(HelpTest, TheManualShowsAllOfIt) {
  const Ran ran = RunConfabctl({"man"});
  ASSERT_EQ(ran.exit, Exit::kDone);

  Walk({}, [&](const Path& path, const std::string& help) {
    if (path.empty() || !PlacesOf(help).empty()) return;
    std::string heading = ".SS confabctl " + Joined(path) + " [OPTIONS]";
    for (size_t at = 0; (at = heading.find('-', at)) != std::string::npos; at += 2) {
      heading.replace(at, 1, "\\-");
    }
    EXPECT_THAT(ran.out, HasSubstr(heading));
  });
  EXPECT_THAT(ran.out, HasSubstr("\\fB\\-\\-from\\-file\\fR \\fIFILE\\fR"));
  EXPECT_THAT(ran.out, HasSubstr(".SH EXIT STATUS"));
  if (system("command -v groff > /dev/null") != 0) GTEST_SKIP() << "no groff to read it";
  const std::string page = directory_ + "/confabctl.1";
  std::ofstream(page) << ran.out;
  EXPECT_EQ(system(("test -z \"$(groff -man -ww -z " + page + " 2>&1)\"").c_str()), 0);
}

}  // namespace
}  // namespace confab::ctl
