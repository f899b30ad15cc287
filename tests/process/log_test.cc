#include "process/log.h"

#include <algorithm>
#include <limits>
#include <thread>
#include <vector>

#include <absl/time/clock.h>
#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "process/log_line.h"

namespace confab::process {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

LogLine Line(std::string_view msg, std::initializer_list<Field> fields) {
  return {absl::FromUnixMillis(1'800'000'000'123), LogLevel::kWarn, "edge", msg, fields};
}

TEST(LogLine, WritesJson) {
  EXPECT_EQ(JsonLogLine(Line("closed", {{"reason", "slow"}, {"code", 4009}, {"again", true}})),
            R"({"ts":"2027-01-15T08:00:00.123Z","level":"warn","component":"edge","msg":"closed",)"
            R"("reason":"slow","code":4009,"again":true})");
}

TEST(LogLine, WritesText) {
  EXPECT_EQ(TextLogLine(Line("closed", {{"reason", "too slow"}, {"code", 4009}, {"by", ""}})),
            R"(2027-01-15T08:00:00.123Z warn  edge: closed reason="too slow" code=4009 by="")");
}

TEST(LogLine, CannotBeForgedByAValue) {
  const std::string_view values[] = {"a\nb",
                                     "\",\"level\":\"error",
                                     "\x1b[2J",
                                     "\xc2\x9b"
                                     "2J",
                                     "bad \xff utf8 \xc3",
                                     "\xed\xa0\x80",
                                     "\xf4\x90\x80\x80",
                                     std::string_view("nul\0here", 8),
                                     "back\\slash",
                                     "\x7f",
                                     "k=v x=\"y\"",
                                     "\xe2\x82",
                                     "\xe0\x80\x8a",
                                     "\xf0\x80\x80\x8a",
                                     "\xc0\x8a"};
  for (const std::string_view value : values) {
    const std::string json = JsonLogLine(Line(value, {{"key", value}}));
    boost::system::error_code error;
    const boost::json::value parsed = boost::json::parse(json, error);

    ASSERT_FALSE(error) << json;
    EXPECT_EQ(parsed.as_object().size(), 5U) << json;
    for (const std::string& line : {json, TextLogLine(Line(value, {{"key", value}}))}) {
      for (const char c : line) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << line;
      EXPECT_THAT(line, Not(HasSubstr("\x7f")));
      EXPECT_THAT(line, Not(HasSubstr("\xc2\x9b")));
    }
  }
}

TEST(LogLine, CutsLongValues) {
  EXPECT_LT(JsonLogLine(Line("m", {{"key", std::string(1'000'000, 'x')}})).size(), 2000U);
}

TEST(LogLine, KeepsJsonValidForNumbersThatJsonLacks) {
  const std::string json = JsonLogLine(Line("m", {{"a", std::numeric_limits<double>::quiet_NaN()},
                                                  {"b", std::numeric_limits<double>::infinity()}}));

  boost::system::error_code error;
  boost::json::parse(json, error);

  EXPECT_FALSE(error) << json;
}

// One test for the process-wide part: it can be started once only.
TEST(Log, WritesLinesOfAllThreadsFromItsLevelOn) {
  ::testing::internal::CaptureStderr();
  InitLog("test", "warn");

  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 100; ++i) LogWarn("line", {{"thread", t}, {"i", i}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  LogInfo("too quiet");
  LogError("last");
  const absl::Time before_flush = absl::Now();
  FlushLog();
  const absl::Duration flush_time = absl::Now() - before_flush;
  LogError("after the flush");
  const std::string out = ::testing::internal::GetCapturedStderr();

  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 402);
  EXPECT_THAT(out, Not(HasSubstr("too quiet")));
  EXPECT_LT(out.find("last"), out.find("after the flush"));
  EXPECT_LT(flush_time, absl::Seconds(1)) << "it waited for its limit, not for the queue";
  EXPECT_FALSE(IsDebugLogged());
}

}  // namespace
}  // namespace confab::process
