#include "tools/loadgen/process_watch.h"

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace confab::loadgen {
namespace {

using testing::HasSubstr;

TEST(ProcessStat, IsReadBehindANameWithBrackets) {
  const auto stat = ParseProcessStat(
      "4711 (a (b) c) S 12 4711 4711 0 -1 4194560 900 0 3 0 150 50 7 3 20 0 4 0 1000 1000000 256 "
      "18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0");

  ASSERT_TRUE(stat.has_value());
  EXPECT_EQ(stat->parent, 12);
  EXPECT_EQ(stat->user_ticks, 157U);
  EXPECT_EQ(stat->system_ticks, 53U);
  EXPECT_EQ(stat->rss_pages, 256);
}

TEST(ProcessStat, IsNoneOfAnotherText) {
  for (const char* text : {"", "4711", "4711 (x)", "4711 (x) S 1 2 3",
                           "1 (x) S a b c d e f g h i j k l m n o p q r s t u v w x y"}) {
    EXPECT_FALSE(ParseProcessStat(text).has_value()) << text;
  }
}

TEST(ProcessWatch, CountsThisProcess) {
  const auto watch =
      ProcessWatch::Open({std::to_string(getpid()), "me=" + std::to_string(getpid())});
  ASSERT_TRUE(watch.ok()) << watch.status();
  ASSERT_EQ(watch->watched().size(), 2U);
  EXPECT_FALSE(watch->watched()[0].name.empty());
  EXPECT_EQ(watch->watched()[1].name, "me");

  const std::vector<ProcessUsage> usages = watch->Read();

  ASSERT_EQ(usages.size(), 2U);
  EXPECT_GE(usages[0].processes, 1U);
  EXPECT_GT(usages[0].rss_bytes, 100'000);
  EXPECT_GE(usages[0].cpu_s(), 0);
}

TEST(ProcessWatch, NamesWhatIsNoProcess) {
  const auto says = [](const std::string& text) {
    return std::string(ProcessWatch::Open({text}).status().message());
  };

  EXPECT_THAT(says("edge"), HasSubstr("--pid edge: give PID or NAME=PID"));
  EXPECT_THAT(says("edge=-3"), HasSubstr("give PID or NAME=PID"));
  EXPECT_THAT(says("edge=2147483647"), HasSubstr("there is no process 2147483647"));
}

}  // namespace
}  // namespace confab::loadgen
