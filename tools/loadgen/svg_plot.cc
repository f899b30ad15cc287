#include "tools/loadgen/svg_plot.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace confab::loadgen {
namespace {

constexpr double kWidth = 720;
constexpr double kHeight = 300;
constexpr double kLeft = 76;
constexpr double kRight = 16;
constexpr double kTop = 34;
constexpr double kBottom = 46;
constexpr size_t kColours = 6;  // Classes s0 … s5 of the page.
constexpr double kNameWidth = 130;

double Share(const Axis& axis, double value) {
  const double span = axis.to - axis.from;
  return span > 0 ? std::clamp((value - axis.from) / span, 0.0, 1.0) : 0;
}

double XOf(const Plot& plot, double value) {
  return kLeft + Share(plot.x, value) * (kWidth - kLeft - kRight);
}

double YOf(const Plot& plot, double value) {
  return kHeight - kBottom - Share(plot.y, value) * (kHeight - kTop - kBottom);
}

void AppendAxes(const Plot& plot, std::string& svg) {
  for (const Tick& tick : plot.x.ticks) {
    const double x = XOf(plot, tick.at);
    svg += fmt::format(R"(<line class="grid" x1="{0:.1f}" y1="{1}" x2="{0:.1f}" y2="{2}"/>)", x,
                       kTop, kHeight - kBottom);
    svg += fmt::format(R"(<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>)", x,
                       kHeight - kBottom + 16, Escaped(tick.label));
  }
  for (const Tick& tick : plot.y.ticks) {
    const double y = YOf(plot, tick.at);
    svg += fmt::format(R"(<line class="grid" x1="{1}" y1="{0:.1f}" x2="{2}" y2="{0:.1f}"/>)", y,
                       kLeft, kWidth - kRight);
    svg += fmt::format(R"(<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{}</text>)",
                       kLeft - 8, y + 4, Escaped(tick.label));
  }
  svg += fmt::format(R"(<text class="label" x="{}" y="{}" text-anchor="end">{}</text>)",
                     kWidth - kRight, kHeight - 8, Escaped(plot.x.label));
  svg += fmt::format(R"(<text class="label" x="8" y="{}">{}</text>)", kTop - 10,
                     Escaped(plot.y.label));
}

void AppendSeries(const Plot& plot, size_t index, std::string& svg) {
  const Series& series = plot.series[index];
  std::string points;
  for (const auto& [x, y] : series.points) {
    points += fmt::format("{}{:.1f},{:.1f}", points.empty() ? "" : " ", XOf(plot, x), YOf(plot, y));
  }
  const size_t colour = index % kColours;
  svg += fmt::format(R"(<polyline class="line s{}" points="{}"/>)", colour, points);
  const double x = kWidth - kRight - kNameWidth * static_cast<double>(plot.series.size() - index);
  svg += fmt::format(R"(<rect class="fill s{}" x="{:.1f}" y="{}" width="10" height="10"/>)", colour,
                     x, kTop - 20);
  svg += fmt::format(R"(<text class="label" x="{:.1f}" y="{}">{}</text>)", x + 15, kTop - 10,
                     Escaped(series.name));
}

// The next of 1, 2, 5, 10, 20 … that is not less.
double NiceStep(double step) {
  const double decade = std::pow(10, std::floor(std::log10(step)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (decade * factor >= step * (1 - 1e-9)) return decade * factor;
  }
  return decade * 10;
}

}  // namespace

std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string SvgOf(const Plot& plot) {
  std::string svg = fmt::format(
      R"(<figure><figcaption>{}</figcaption><svg viewBox="0 0 {} {}" role="img" aria-label="{}">)",
      Escaped(plot.title), kWidth, kHeight, Escaped(plot.title));
  AppendAxes(plot, svg);
  for (size_t i = 0; i < plot.series.size(); ++i) AppendSeries(plot, i, svg);
  return svg + "</svg></figure>\n";
}

Axis LinearAxis(std::string label, double max, const std::function<std::string(double)>& show) {
  constexpr double kSteps = 5;
  Axis axis{.label = std::move(label), .from = 0, .to = 1, .ticks = {}};
  if (!(max > 0) || !std::isfinite(max)) max = 1;
  const double step = NiceStep(max / kSteps);
  const auto steps = static_cast<int>(std::ceil(max / step - 1e-9));
  axis.to = step * steps;
  for (int i = 0; i <= steps; ++i) axis.ticks.push_back({step * i, show(step * i)});
  return axis;
}

Axis LogAxis(std::string label, double min, double max,
             const std::function<std::string(double)>& show) {
  const auto first = static_cast<int>(std::floor(std::log10(min)));
  const auto last = std::max(first + 1, static_cast<int>(std::ceil(std::log10(max) - 1e-9)));
  Axis axis{.label = std::move(label),
            .from = static_cast<double>(first),
            .to = static_cast<double>(last),
            .ticks = {}};
  for (int power = first; power <= last; ++power) {
    axis.ticks.push_back({static_cast<double>(power), show(std::pow(10, power))});
  }
  return axis;
}

}  // namespace confab::loadgen
