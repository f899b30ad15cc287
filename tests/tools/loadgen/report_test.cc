// The three reports of an outcome, and the figures in them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/loadgen/outcome_fixture.h"
#include "tools/loadgen/figures.h"
#include "tools/loadgen/html_report.h"
#include "tools/loadgen/json_report.h"
#include "tools/loadgen/meter.h"
#include "tools/loadgen/text_report.h"

namespace confab::loadgen {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr Scenario kAll[] = {Scenario::kFanout,  Scenario::kPairs, Scenario::kChat,
                             Scenario::kDurable, Scenario::kIdle,  Scenario::kHandshake};

TEST(Figures, AreByUnitOfWork) {
  const Outcome fanout = SampleOutcome(Scenario::kFanout);
  const Outcome idle = SampleOutcome(Scenario::kIdle);
  const Outcome handshake = SampleOutcome(Scenario::kHandshake);

  const UnitCosts of_fanout = CostsOf(fanout, fanout.processes[0]);
  EXPECT_NEAR(*of_fanout.s_per_million_messages, 500, 1e-6);  // 0.5 s for a thousand.
  EXPECT_NEAR(*of_fanout.s_per_million_deliveries, 50, 1e-6);
  EXPECT_FALSE(of_fanout.ms_per_handshake.has_value());
  EXPECT_NEAR(*CostsOf(handshake, handshake.processes[0]).ms_per_handshake, 1, 1e-9);
  const UnitCosts of_idle = CostsOf(idle, idle.processes[0]);
  EXPECT_NEAR(*of_idle.rss_bytes_per_connection, 104'857.6, 1e-6);
  EXPECT_NEAR(*of_idle.s_per_thousand_connections_hour, 90'000, 1e-6);
  EXPECT_NEAR(SumOf(fanout).cpu_s(), 1.0, 1e-9);
}

TEST(Outcome, EndsWithACodeThatSaysWhatCameOfIt) {
  Outcome outcome = SampleOutcome(Scenario::kFanout);
  EXPECT_EQ(outcome.exit(), Exit::kDone);

  outcome.is_interrupted = true;
  EXPECT_EQ(static_cast<int>(outcome.exit()), 130);

  outcome.faults.lost = 1;
  EXPECT_EQ(static_cast<int>(outcome.exit()), 1);
  outcome.faults = {};
  outcome.counts.refused = 1;
  EXPECT_EQ(outcome.exit(), Exit::kFaults);
  outcome.counts = {.failed_handshakes = 1};
  EXPECT_EQ(outcome.exit(), Exit::kFaults);
}

TEST(TextReport, ShowsEveryScenario) {
  for (const Scenario scenario : kAll) {
    const std::string text = TextOf(SampleOutcome(scenario));
    EXPECT_THAT(text, HasSubstr("clean: ")) << NameOf(scenario);
    EXPECT_THAT(text, HasSubstr("edge")) << NameOf(scenario);
    EXPECT_THAT(text, HasSubstr("all ")) << NameOf(scenario);
  }
  const std::string text = TextOf(SampleOutcome(Scenario::kFanout));
  EXPECT_THAT(text, HasSubstr("1000 stored, 500 a second"));
  EXPECT_THAT(text, HasSubstr("10 k, 5000 a second"));
  EXPECT_THAT(text, HasSubstr("p99.9"));
}

TEST(TextReport, NamesEachFaultAndWhatToDo) {
  Outcome outcome = SampleOutcome(Scenario::kPairs);
  outcome.faults = {.lost = 1,
                    .doubled = 2,
                    .disordered = 3,
                    .missing = 4,
                    .corrupt = 5,
                    .strayed = 6,
                    .misnumbered = 7,
                    .unanswered = 8};
  outcome.counts.refused = 9;
  outcome.counts.disconnected = 10;
  outcome.counts.skipped = 11;
  outcome.own_cpu_s = 1.9;
  outcome.Note("RATE_LIMITED", "more than 10 messages a second, or 30 at once");

  const std::string text = TextOf(outcome);

  EXPECT_THAT(VerdictOf(outcome),
              StartsWith("FAULTS: 1 deliveries lost, 2 doubled, 3 out of order, "
                         "4 missing"));
  for (const char* part : {"5 with content", "6 of another room", "7 acknowledged",
                           "8 messages without", "9 messages refused", "10 connections closed"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  EXPECT_THAT(text, HasSubstr("1 x RATE_LIMITED: more than 10 messages"));
  EXPECT_THAT(text, HasSubstr("--rate-sends off"));
  EXPECT_THAT(text, HasSubstr("11 messages were not sent when they were due"));
  EXPECT_THAT(text, HasSubstr("this tool was busy nearly all the time"));
}

TEST(JsonReport, HoldsWhatAScenarioIsAbout) {
  const auto fanout = JsonOf(SampleOutcome(Scenario::kFanout));
  const auto handshake = JsonOf(SampleOutcome(Scenario::kHandshake));

  EXPECT_EQ(fanout.at("scenario").as_string(), "fanout");
  EXPECT_TRUE(fanout.at("clean").as_bool());
  EXPECT_EQ(fanout.at("deliveries").at("count").as_uint64(), 10'000U);
  EXPECT_NEAR(fanout.at("deliveryLatency").at("p50Us").as_double(), 1'000, 5);
  EXPECT_EQ(fanout.at("processes").as_array().size(), 2U);
  EXPECT_NEAR(fanout.at("allProcesses").at("cpuSecondsPerMillionMessages").as_double(), 1'000,
              1e-6);
  EXPECT_EQ(fanout.at("moments").as_array().size(), 4U);
  EXPECT_EQ(fanout.if_contains("handshakes"), nullptr);
  EXPECT_EQ(handshake.at("handshakes").at("count").as_uint64(), 500U);
  EXPECT_EQ(handshake.if_contains("messages"), nullptr);
}

TEST(HtmlReport, IsOnePageThatNeedsNothingElse) {
  for (const Scenario scenario : kAll) {
    const std::string html = HtmlOf(SampleOutcome(scenario));
    EXPECT_THAT(html, StartsWith("<!doctype html>"));
    EXPECT_THAT(html, HasSubstr("</html>"));
    EXPECT_THAT(html, HasSubstr("<svg ")) << NameOf(scenario);
    EXPECT_THAT(html, HasSubstr("control&lt;&amp;&gt;"));
    for (const char* foreign :
         {"http:", "https:", "<script", "src=", "@import", "url(", "nan", "inf,"}) {
      EXPECT_THAT(html, Not(HasSubstr(foreign))) << NameOf(scenario);
    }
  }
}

TEST(HtmlReport, OfNothingMeasuredIsAPageToo) {
  Outcome outcome;
  outcome.is_interrupted = true;

  const std::string html = HtmlOf(outcome);

  EXPECT_THAT(html, HasSubstr("interrupted"));
  EXPECT_THAT(html, HasSubstr("</html>"));
  EXPECT_THAT(TextOf(outcome), HasSubstr("interrupted"));
  EXPECT_EQ(JsonOf(outcome).at("elapsedSeconds").as_double(), 0);
}

TEST(Meter, ShowsNumbersAsPeopleReadThem) {
  EXPECT_EQ(ShowCount(0), "0");
  EXPECT_EQ(ShowCount(9'999), "9999");
  EXPECT_EQ(ShowCount(12'340), "12.3 k");
  EXPECT_EQ(ShowCount(4'560'000), "4.56 M");
  EXPECT_EQ(ShowTime(850'000), "850 µs");
  EXPECT_EQ(ShowTime(1'234'000), "1.23 ms");
  EXPECT_EQ(ShowTime(3.4e9), "3.4 s");
}

TEST(Meter, TakesMomentsWhileItMeasures) {
  Outcome outcome;
  Meter meter(outcome, ProcessWatch());
  constexpr int64_t kSecond = 1'000'000'000;

  meter.OnTick(0);
  meter.Begin(kSecond);
  outcome.counts.acked = 100;
  meter.OnTick(kSecond + kSecond / 10);
  meter.OnTick(2 * kSecond);
  outcome.counts.acked = 150;
  meter.End(3 * kSecond);

  ASSERT_EQ(outcome.moments.size(), 2U);
  EXPECT_DOUBLE_EQ(outcome.moments[0].at_s, 1);
  EXPECT_DOUBLE_EQ(outcome.moments[0].messages_per_s, 100);
  EXPECT_DOUBLE_EQ(outcome.moments[1].messages_per_s, 50);
  EXPECT_DOUBLE_EQ(outcome.elapsed_s, 2);
}

TEST(Meter, SaysInOneLineHowItGoes) {
  Outcome outcome = SampleOutcome(Scenario::kFanout);

  const std::string line = ProgressLine(outcome, "measures", 2.04, {.lost = 3});

  EXPECT_THAT(line, StartsWith("fanout measures 2.0 s  1000 messages  10 k deliveries  p50 "));
  EXPECT_THAT(line, HasSubstr("FAULTS 3"));
  EXPECT_THAT(line, Not(HasSubstr("\n")));
}

}  // namespace
}  // namespace confab::loadgen
