#include "process/metrics.h"

#include <limits>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace confab::process {
namespace {

using ::testing::HasSubstr;

TEST(Metrics, WritesCountersAndGaugesInNameOrder) {
  Metrics metrics;
  metrics.AddGauge("b_connections", "Open sockets.").Set(-3);
  metrics.AddCounter("a_commands_total", "Commands.", {{"result", "ok"}}).Add(2);
  metrics.AddCounter("a_commands_total", "Commands.", {{"result", "refused"}, {"why", "x"}}).Add();

  EXPECT_EQ(metrics.Render(),
            "# HELP a_commands_total Commands.\n"
            "# TYPE a_commands_total counter\n"
            "a_commands_total{result=\"ok\"} 2\n"
            "a_commands_total{result=\"refused\",why=\"x\"} 1\n"
            "# HELP b_connections Open sockets.\n"
            "# TYPE b_connections gauge\n"
            "b_connections -3\n");
}

TEST(Metrics, WritesHistogramsCumulatively) {
  Metrics metrics;
  Histogram& histogram = metrics.AddHistogram("h_seconds", "Time.", {0.5, 1, 2}, {{"k", "v"}});
  for (const double value : {0.5, 0.75, 2.0, 2.5, std::numeric_limits<double>::quiet_NaN()}) {
    histogram.Observe(value);
  }

  EXPECT_EQ(metrics.Render(),
            "# HELP h_seconds Time.\n"
            "# TYPE h_seconds histogram\n"
            "h_seconds_bucket{k=\"v\",le=\"0.5\"} 1\n"
            "h_seconds_bucket{k=\"v\",le=\"1\"} 2\n"
            "h_seconds_bucket{k=\"v\",le=\"2\"} 3\n"
            "h_seconds_bucket{k=\"v\",le=\"+Inf\"} 4\n"
            "h_seconds_sum{k=\"v\"} 5.75\n"
            "h_seconds_count{k=\"v\"} 4\n");
}

TEST(Metrics, WritesAHistogramWithoutLabels) {
  Metrics metrics;
  metrics.AddHistogram("h", "H.", {1}).Observe(7);

  EXPECT_THAT(metrics.Render(), HasSubstr("h_bucket{le=\"1\"} 0\nh_bucket{le=\"+Inf\"} 1\n"
                                          "h_sum 7\nh_count 1\n"));
}

TEST(Metrics, EscapesLabelsAndHelp) {
  Metrics metrics;
  metrics.AddCounter("c", "A \"b\"\\\nc", {{"k", "a\"b\\\nc"}});

  EXPECT_THAT(metrics.Render(), HasSubstr("# HELP c A \"b\"\\\\\\nc\n"));
  EXPECT_THAT(metrics.Render(), HasSubstr("c{k=\"a\\\"b\\\\\\nc\"} 0\n"));
}

TEST(Metrics, GivesTheSameObjectForTheSameNameAndLabels) {
  Metrics metrics;
  Counter& first = metrics.AddCounter("c", "C.", {{"k", "1"}});

  EXPECT_EQ(&first, &metrics.AddCounter("c", "C.", {{"k", "1"}}));
  EXPECT_NE(&first, &metrics.AddCounter("c", "C.", {{"k", "2"}}));
}

TEST(Metrics, SumsFunctionsAndForgetsAnOwners) {
  Metrics metrics;
  const int owner = 0;
  metrics.AddGaugeFn("g", "G.", {}, [] { return 1.5; });
  metrics.AddGaugeFn(
      "g", "G.", {}, [] { return 2; }, &owner);

  EXPECT_THAT(metrics.Render(), HasSubstr("\ng 3.5\n"));
  metrics.RemoveGaugeFns(&owner);
  EXPECT_THAT(metrics.Render(), HasSubstr("\ng 1.5\n"));
}

TEST(Metrics, CountsFromAllThreadsWhileRendering) {
  Metrics metrics;
  Counter& counter = metrics.AddCounter("c", "C.");
  Histogram& histogram = metrics.AddHistogram("h", "H.", LatencyBounds());

  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10'000; ++i) {
        counter.Add();
        histogram.Observe(0.01);
      }
    });
  }
  for (int i = 0; i < 10; ++i) {
    metrics.AddCounter("d" + std::to_string(i), "D.");
    metrics.Render();
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(counter.value(), 40'000U);
  EXPECT_NEAR(histogram.sum(), 400, 0.001);
  EXPECT_THAT(metrics.Render(), HasSubstr("h_count 40000\n"));
}

}  // namespace
}  // namespace confab::process
