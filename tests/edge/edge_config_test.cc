// Options of an edge: which limits can be off, and that the others say why not.
#include "edge/edge_config.h"

#include <array>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "process/config_loader.h"

namespace confab::edge {
namespace {

std::vector<std::string> Limits() {
  EdgeConfig config;
  process::ConfigLoader loader("confab-edge", "");
  AddEdgeFlags(loader, config);
  std::vector<std::string> flags;
  for (const process::ConfigOption& option : loader.options()) {
    if (option.group() == "Edge limits") flags.push_back(option.flag());
  }
  return flags;
}

absl::Status SwitchOff(const std::string& flag) {
  EdgeConfig config;
  process::ConfigLoader loader("confab-edge", "");
  AddEdgeFlags(loader, config);
  const std::string off = "--" + flag + "=off";
  const std::array<const char*, 2> argv = {"confab-edge", off.c_str()};
  return loader.Load(static_cast<int>(argv.size()), argv.data()).status();
}

TEST(EdgeConfig, SaysOfEachLimitWhetherItCanBeOff) {
  std::vector<std::string> off;
  for (const std::string& flag : Limits()) {
    const absl::Status status = SwitchOff(flag);
    if (status.ok()) {
      off.push_back(flag);
    } else {
      EXPECT_THAT(std::string(status.message()), testing::HasSubstr("it cannot be off: ")) << flag;
    }
  }

  EXPECT_THAT(off, testing::UnorderedElementsAre(
                       "fragments", "message-time", "token-expiring-before", "outbox-budget",
                       "stall-time", "rooms-per-connection", "connections-per-user",
                       "connections-per-address", "rate-new-connections", "rate-accepts",
                       "failed-logins", "rate-sends", "rate-frames", "rate-joins"));
}

TEST(EdgeConfig, LeavesAMessageWithOneOfItsLimits) {
  EdgeConfig config;
  config.user_secret_file = "secret";
  config.fragments_limit = 0;
  EXPECT_TRUE(config.Validate().ok()) << config.Validate();

  config.message_time_limit = absl::ZeroDuration();
  EXPECT_EQ(config.Validate().message(),
            "--fragments and --message-time cannot both be off: empty fragments would never end");
  config.fragments_limit = 1'024;
  EXPECT_TRUE(config.Validate().ok()) << config.Validate();
}

}  // namespace
}  // namespace confab::edge
