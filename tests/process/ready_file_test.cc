#include "process/ready_file.h"

#include <atomic>
#include <thread>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "tests/process/temp_dir.h"

namespace confab::process {
namespace {

TEST(ReadyFile, HoldsPidAndAddresses) {
  const TempDir dir;

  ASSERT_TRUE(
      WriteReadyFile(dir.Path("ready"), {{"listen", "127.0.0.1:1"}, {"ops", "[::1]:2"}}).ok());

  const boost::json::value json = boost::json::parse(dir.Read("ready"));
  EXPECT_EQ(json.at("pid").as_int64(), ::getpid());
  EXPECT_EQ(json.at("listen").as_string(), "127.0.0.1:1");
  EXPECT_EQ(json.at("ops").as_string(), "[::1]:2");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path()), {}), 1);
}

TEST(ReadyFile, IsNeverSeenHalfWritten) {
  const TempDir dir;
  ASSERT_TRUE(WriteReadyFile(dir.Path("ready"), {{"listen", "x"}}).ok());
  std::atomic<bool> is_done{false};
  std::thread writer([&] {
    for (int i = 0; i < 300; ++i) {
      EXPECT_TRUE(WriteReadyFile(dir.Path("ready"), {{"listen", std::string(9000, 'x')}}).ok());
    }
    is_done = true;
  });

  int seen = 0;
  while (!is_done || seen == 0) {
    boost::system::error_code error;
    boost::json::parse(dir.Read("ready"), error);
    EXPECT_FALSE(error);
    ++seen;
  }
  writer.join();
}

TEST(ReadyFile, SaysWhyItCannotBeWritten) {
  const TempDir dir;

  EXPECT_NE(WriteReadyFile(dir.Path("none/ready"), {}).message().find("none/ready"),
            std::string::npos);
  std::filesystem::create_directory(dir.Path("folder"));
  EXPECT_FALSE(WriteReadyFile(dir.Path("folder"), {}).ok());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path()), {}), 1);
}

TEST(ReadyFile, FollowsNoLinkThatSomebodyLaidInItsWay) {
  const TempDir dir;
  dir.Write("precious", "mine");
  const std::string temporary = dir.Path("ready") + "." + std::to_string(::getpid()) + ".tmp";
  std::filesystem::create_symlink(dir.Path("precious"), temporary);

  ASSERT_TRUE(WriteReadyFile(dir.Path("ready"), {}).ok());

  EXPECT_EQ(dir.Read("precious"), "mine");
}

TEST(ReadyFile, IsNotWantedByAnEmptyPath) {
  EXPECT_TRUE(WriteReadyFile("", {}).ok());
  RemoveReadyFile("");
}

TEST(ReadyFile, CanBeTakenAway) {
  const TempDir dir;
  dir.Write("ready", "{}");

  RemoveReadyFile(dir.Path("ready"));
  RemoveReadyFile(dir.Path("ready"));

  EXPECT_FALSE(std::filesystem::exists(dir.Path("ready")));
}

}  // namespace
}  // namespace confab::process
