#include "tools/loadgen/svg_plot.h"

#include <cmath>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace confab::loadgen {
namespace {

using testing::HasSubstr;

std::string Show(double value) { return fmt::format("{:g}", value); }

std::vector<std::string> LabelsOf(const Axis& axis) {
  std::vector<std::string> labels;
  for (const Tick& tick : axis.ticks) labels.push_back(tick.label);
  return labels;
}

TEST(LinearAxis, HasRoundTicksThatHoldTheLargest) {
  EXPECT_THAT(LabelsOf(LinearAxis("", 10, Show)),
              testing::ElementsAre("0", "2", "4", "6", "8", "10"));
  EXPECT_EQ(LinearAxis("", 11, Show).to, 15);
  EXPECT_EQ(LinearAxis("", 0.7, Show).ticks[1].label, "0.2");
  EXPECT_GE(LinearAxis("", 123'456, Show).to, 123'456);
}

TEST(LinearAxis, OfNothingIsOne) {
  EXPECT_EQ(LinearAxis("", 0, Show).to, 1);
  EXPECT_EQ(LinearAxis("", std::nan(""), Show).to, 1);
}

TEST(LogAxis, SpansWholePowersOfTen) {
  const Axis axis = LogAxis("", 30, 5'000, Show);

  EXPECT_THAT(LabelsOf(axis), testing::ElementsAre("10", "100", "1000", "10000"));
  EXPECT_EQ(axis.from, 1);
  EXPECT_EQ(axis.to, 4);
  EXPECT_EQ(LabelsOf(LogAxis("", 100, 100, Show)).size(), 2U) << "never without width";
}

TEST(Svg, KeepsWhatIsOutOfItsAxesInside) {
  const Plot plot{.title = "a < b",
                  .x = LinearAxis("time", 1, Show),
                  .y = LinearAxis("count", 1, Show),
                  .series = {{"one", {{0, 0}, {2, 5}}}}};

  const std::string svg = SvgOf(plot);

  EXPECT_THAT(svg, HasSubstr("a &lt; b"));
  EXPECT_THAT(svg, HasSubstr(R"(points="76.0,254.0 704.0,34.0")"));
  EXPECT_THAT(svg, HasSubstr(">one</text>"));
}

}  // namespace
}  // namespace confab::loadgen
