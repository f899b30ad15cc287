#include "process/config_loader.h"

#include <cstdlib>
#include <initializer_list>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/process/temp_dir.h"

namespace confab::process {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Config {
  std::string listen = "127.0.0.1:8080";
  int threads = 2;
  int64_t bytes_limit = 1024 * 1024;
  bool is_verbose = false;
  double share = 0.5;
  absl::Duration stall = absl::Seconds(10);
  std::vector<std::string> origins;
  std::string dialect = "confab";
};

class ConfigLoaderTest : public ::testing::Test {
 protected:
  ConfigLoaderTest() {
    loader_.Add("listen", &config_.listen, "where clients connect", "Network")
        .Placeholder("HOST:PORT");
    loader_.Add("io-threads", &config_.threads, "threads", "Network").Range(0, 256);
    loader_.Add("outbox-bytes", &config_.bytes_limit, "outbox").Range(1024, 1 << 30).Bytes();
    loader_.Add("verbose", &config_.is_verbose, "talk more");
    loader_.Add("share", &config_.share, "a share").Range(0, 1);
    loader_.Add("stall", &config_.stall, "slow readers")
        .Range(absl::Seconds(1), absl::Hours(1))
        .AllowOff();
    loader_.Add("allowed-origins", &config_.origins, "origins");
    loader_.Add("dialect", &config_.dialect, "dialect").OneOf({"confab", "rooms"});
  }
  ~ConfigLoaderTest() override {
    for (const char* name : {"CONFAB_IO_THREADS", "CONFAB_LISTEN", "CONFAB_CONFIG", "CONFAB_LISTN",
                             "CONFAB_POSTGRES_PORT"}) {
      ::unsetenv(name);
    }
  }

  absl::StatusOr<bool> Load(std::initializer_list<const char*> flags) {
    std::vector<const char*> argv{"confab-test"};
    argv.insert(argv.end(), flags);
    return loader_.Load(static_cast<int>(argv.size()), argv.data());
  }
  std::string ErrorOf(std::initializer_list<const char*> flags) {
    return std::string(Load(flags).status().message());
  }

  TempDir dir_;
  Config config_;
  ConfigLoader loader_{"confab-test", "Tests flags."};
};

TEST_F(ConfigLoaderTest, KeepsDefaultsWhenNothingIsGiven) {
  ASSERT_TRUE(Load({}).value());

  EXPECT_EQ(config_.listen, "127.0.0.1:8080");
  EXPECT_EQ(loader_.OriginOf("listen"), "default");
}

TEST_F(ConfigLoaderTest, TakesFlagOverEnvironmentOverFileOverDefault) {
  const std::string file = dir_.Write(
      "c.toml",
      "listen = \"file:1\"\nio-threads = 7\nshare = 0.25\nallowed-origins = [\"a\", \"b\"]");
  ::setenv("CONFAB_IO_THREADS", "8", 1);
  ::setenv("CONFAB_LISTEN", "env:1", 1);

  ASSERT_TRUE(Load({"--config", file.c_str(), "--listen=flag:1"}).value());

  EXPECT_EQ(config_.listen, "flag:1");
  EXPECT_EQ(config_.threads, 8);
  EXPECT_EQ(config_.share, 0.25);
  EXPECT_EQ(config_.bytes_limit, 1024 * 1024);
  EXPECT_THAT(config_.origins, ElementsAre("a", "b"));
  EXPECT_EQ(loader_.OriginOf("listen"), "--listen");
  EXPECT_EQ(loader_.OriginOf("io-threads"), "CONFAB_IO_THREADS");
  EXPECT_EQ(loader_.OriginOf("share"), file + ":3");
}

TEST_F(ConfigLoaderTest, FindsTheFileThroughTheEnvironment) {
  ::setenv("CONFAB_CONFIG", dir_.Write("c.toml", "io-threads = 3").c_str(), 1);

  ASSERT_TRUE(Load({}).value());

  EXPECT_EQ(config_.threads, 3);
}

TEST_F(ConfigLoaderTest, ReadsEveryType) {
  ASSERT_TRUE(Load({"--outbox-bytes", "64KiB", "--verbose", "--stall", "1m30s", "--allowed-origins",
                    "https://a.example, https://b.example", "--share", "1"})
                  .value());

  EXPECT_EQ(config_.bytes_limit, 65536);
  EXPECT_TRUE(config_.is_verbose);
  EXPECT_EQ(config_.stall, absl::Seconds(90));
  EXPECT_THAT(config_.origins, ElementsAre("https://a.example", "https://b.example"));
  EXPECT_EQ(config_.share, 1);
}

TEST_F(ConfigLoaderTest, SwitchesOffWhatMayBeOff) {
  ASSERT_TRUE(Load({"--stall=off", "--no-verbose"}).value());

  EXPECT_EQ(config_.stall, absl::ZeroDuration());
  EXPECT_FALSE(config_.is_verbose);
}

TEST_F(ConfigLoaderTest, SaysWhySomethingCannotBeOff) {
  absl::Duration wait = absl::Seconds(3);
  loader_.Add("wait", &wait, "for an answer")
      .Range(absl::Seconds(1), absl::Minutes(1))
      .NeverOff("a command would wait for ever");

  EXPECT_EQ(ErrorOf({"--wait=off"}),
            "--wait: it cannot be off: a command would wait for ever; it is a time such as 250ms, "
            "10s or 1h from 1s to 1m");
  EXPECT_EQ(ErrorOf({"--wait=0s"}),
            "--wait: \"0s\" is not a time such as 250ms, 10s or 1h from 1s to 1m");
  EXPECT_EQ(wait, absl::Seconds(3));
  EXPECT_THAT(loader_.ConfigText(), HasSubstr("wait = \"3s\""));
}

TEST_F(ConfigLoaderTest, SetsBothFieldsOfAFlagAddedTwice) {
  std::string other = "x";
  loader_.Add("listen", &other, "again");

  ASSERT_TRUE(Load({"--listen", "both:1"}).value());

  EXPECT_EQ(config_.listen, "both:1");
  EXPECT_EQ(other, "both:1");
}

TEST_F(ConfigLoaderTest, SaysWhatIsAllowed) {
  EXPECT_EQ(ErrorOf({"--io-threads", "many"}),
            "--io-threads: \"many\" is not a whole number from 0 to 256");
  EXPECT_EQ(ErrorOf({"--io-threads", "257"}),
            "--io-threads: \"257\" is not a whole number from 0 to 256");
  EXPECT_EQ(ErrorOf({"--io-threads", "1 "}),
            "--io-threads: \"1 \" is not a whole number from 0 to 256");
  EXPECT_EQ(ErrorOf({"--stall=-1s"}),
            "--stall: \"-1s\" is not a time such as 250ms, 10s or 1h from 1s to 1h, or off");
  EXPECT_THAT(ErrorOf({"--stall=2h"}), HasSubstr("from 1s to 1h, or off"));
  EXPECT_EQ(ErrorOf({"--stall=inf"}),
            "--stall: \"inf\" is not a time such as 250ms, 10s or 1h from 1s to 1h, or off");
  EXPECT_EQ(ErrorOf({"--outbox-bytes=99999999999GiB"}),
            "--outbox-bytes: \"99999999999GiB\" is not a number of bytes such as 65536, 64KiB or "
            "1MiB from 1KiB to 1GiB");
  EXPECT_EQ(ErrorOf({"--dialect=acked"}), "--dialect: \"acked\" is not one of confab, rooms");
  EXPECT_EQ(ErrorOf({"--share=nan"}), "--share: \"nan\" is not a number from 0 to 1");
  EXPECT_EQ(ErrorOf({"--verbose=perhaps"}), "--verbose: \"perhaps\" is not true or false");
  EXPECT_EQ(ErrorOf({"--io-threads"}), "--io-threads needs a value: a whole number from 0 to 256");
  EXPECT_EQ(ErrorOf({"--listen", "--verbose"}), "--listen needs a value: text without NUL");
}

TEST_F(ConfigLoaderTest, NamesTheVariableOrTheLineOfAWrongValue) {
  ::setenv("CONFAB_IO_THREADS", "x", 1);
  EXPECT_THAT(ErrorOf({}), StartsWith("CONFAB_IO_THREADS: \"x\" is not"));

  const std::string file = dir_.Write("c.toml", "# one\n\nio-threads = \"x\"\n");
  EXPECT_THAT(ErrorOf({"--config", file.c_str()}),
              StartsWith(file + ":3: io-threads: \"x\" is not a whole number"));
}

TEST_F(ConfigLoaderTest, RefusesWhatItDoesNotKnowWithASuggestion) {
  EXPECT_EQ(ErrorOf({"--lsten", "x"}), "unknown flag --lsten; did you mean --listen?");
  EXPECT_EQ(ErrorOf({"--threads=1"}), "unknown flag --threads; did you mean --io-threads?");
  EXPECT_EQ(ErrorOf({"--zzzzzzz"}), "unknown flag --zzzzzzz; --help lists all");
  EXPECT_THAT(ErrorOf({"--no-listen"}), StartsWith("unknown flag --no-listen;"));
  EXPECT_THAT(ErrorOf({"serve"}), StartsWith("unexpected \"serve\""));
  EXPECT_THAT(ErrorOf({"-v"}), StartsWith("unexpected \"-v\""));
  EXPECT_THAT(ErrorOf({""}), StartsWith("unexpected \"\""));

  const std::string file = dir_.Write("c.toml", "\nlisten_ = \"x\"\n");
  EXPECT_EQ(ErrorOf({"--config", file.c_str()}),
            file + ":2: listen_: unknown key; did you mean listen?");
}

TEST_F(ConfigLoaderTest, RefusesBrokenFiles) {
  const auto error = [&](std::string_view text) {
    return ErrorOf({"--config", dir_.Write("c.toml", text).c_str()});
  };

  EXPECT_THAT(error("listen = \n"), HasSubstr("c.toml:1: "));
  EXPECT_THAT(error("[listen]\na = 1\n"), HasSubstr("c.toml:1: listen is not text"));
  EXPECT_THAT(error("listen = [1]\n"), HasSubstr("c.toml:1: listen is not text"));
  EXPECT_THAT(error("allowed-origins = [[\"a\"]]\n"), HasSubstr("is not a list a,b,c"));
  EXPECT_THAT(error("io-threads = 1979-05-27\n"), HasSubstr("is not a whole number"));
  EXPECT_THAT(error("io-threads = 1\nio-threads = 2\n"), HasSubstr("c.toml:2: "));
  EXPECT_THAT(error("config = \"x\"\n"), HasSubstr("unknown key"));
  EXPECT_THAT(error(std::string(1100000, '#')), HasSubstr("at most 1048576 bytes"));
  EXPECT_THAT(ErrorOf({"--config", dir_.Path("none.toml").c_str()}), HasSubstr("cannot read"));
  EXPECT_FALSE(Load({"--config", dir_.path().c_str()}).ok());
}

TEST_F(ConfigLoaderTest, WarnsOfAVariableThatLooksMisspelt) {
  ::setenv("CONFAB_LISTN", "x", 1);
  ::setenv("CONFAB_POSTGRES_PORT", "1", 1);

  ASSERT_TRUE(Load({}).value());

  EXPECT_THAT(loader_.warnings(), ElementsAre("environment variable CONFAB_LISTN is not used; did "
                                              "you mean CONFAB_LISTEN?"));
}

TEST_F(ConfigLoaderTest, PrintsAConfigurationThatItReadsBack) {
  ASSERT_TRUE(Load({"--listen", "a\"b\\c", "--stall=off", "--outbox-bytes=64KiB",
                    "--allowed-origins=x,y", "--verbose"})
                  .value());
  const std::string file = dir_.Write("c.toml", loader_.ConfigText());
  config_ = Config();

  ASSERT_TRUE(Load({"--config", file.c_str()}).ok()) << loader_.ConfigText();

  EXPECT_EQ(config_.listen, "a\"b\\c");
  EXPECT_EQ(config_.stall, absl::ZeroDuration());
  EXPECT_EQ(config_.bytes_limit, 65536);
  EXPECT_THAT(config_.origins, ElementsAre("x", "y"));
  EXPECT_TRUE(config_.is_verbose);
}

TEST_F(ConfigLoaderTest, PrintsHelpAndOriginBesideEachOption) {
  ASSERT_TRUE(Load({"--dialect", "rooms"}).value());

  const std::string text = loader_.ConfigText();

  EXPECT_THAT(text, HasSubstr("\n# Network\n\n# where clients connect\nlisten = "
                              "\"127.0.0.1:8080\"\n"));
  EXPECT_THAT(text, HasSubstr("dialect = \"rooms\"  # from --dialect\n"));
}

TEST_F(ConfigLoaderTest, MasksPasswords) {
  config_.listen = "postgresql://user:s3cret@host/db?password=s3cret&x=1";

  EXPECT_THAT(loader_.ConfigText(), HasSubstr("postgresql://user:***@host/db?password=***&x=1"));
  EXPECT_THAT(loader_.HelpText(), Not(HasSubstr("s3cret")));
}

TEST_F(ConfigLoaderTest, HelpTeachesEachFlag) {
  loader_.Example("confab-test --listen 127.0.0.1:0", "any free port");

  const std::string help = loader_.HelpText();

  EXPECT_THAT(help,
              HasSubstr("\nNetwork:\n  --listen HOST:PORT\n      where clients connect\n      "
                        "(default 127.0.0.1:8080; CONFAB_LISTEN)\n"));
  EXPECT_THAT(help, HasSubstr("--[no-]verbose"));
  EXPECT_THAT(help, HasSubstr("--dialect confab|rooms"));
  EXPECT_THAT(help, HasSubstr("(default 1MiB; CONFAB_OUTBOX_BYTES)"));
  EXPECT_THAT(help, HasSubstr("# any free port\n  confab-test --listen 127.0.0.1:0\n"));
}

TEST_F(ConfigLoaderTest, AnswersHelpAndVersionEvenWithABrokenEnvironment) {
  ::setenv("CONFAB_IO_THREADS", "x", 1);

  ::testing::internal::CaptureStdout();
  const absl::StatusOr<bool> version = Load({"--version", "--nonsense"});
  const std::string out = ::testing::internal::GetCapturedStdout();

  EXPECT_FALSE(version.value());
  EXPECT_EQ(out, "confab-test " CONFAB_VERSION "\n");
}

TEST_F(ConfigLoaderTest, NamesWhatNeedsARestart) {
  const auto load = [](Config& config, ConfigLoader& loader, std::vector<const char*> args) {
    loader.Add("listen", &config.listen, "where");
    loader.Add("io-threads", &config.threads, "threads").Reloads();
    loader.Add("share", &config.share, "a share");
    args.insert(args.begin(), "p");
    ASSERT_TRUE(loader.Load(static_cast<int>(args.size()), args.data()).ok());
  };
  Config before;
  Config after;
  ConfigLoader running("p", "s");
  ConfigLoader fresh("p", "s");
  load(before, running, {"--listen", "a:1", "--share", "0.25"});
  load(after, fresh, {"--listen", "a:2", "--io-threads", "7", "--share", "0.25"});

  EXPECT_THAT(fresh.FlagsToRestartFor(running), ElementsAre("listen"));
}

TEST_F(ConfigLoaderTest, ForgetsDroppedFlags) {
  loader_.Drop("listen");

  EXPECT_THAT(ErrorOf({"--listen=x"}), StartsWith("unknown flag --listen"));
}

}  // namespace
}  // namespace confab::process
