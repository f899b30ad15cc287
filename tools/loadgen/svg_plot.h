// svg_plot.h: a line plot as inline SVG: no script, no font, no file beside it.
// Threads: pure functions.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace confab::loadgen {

struct Tick {
  double at = 0;
  std::string label;
};

// Axes are linear: who wants a logarithm gives logarithms, with ticks that say what they stand for.
struct Axis {
  std::string label;
  double from = 0;
  double to = 1;
  std::vector<Tick> ticks;
};

struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;
};

struct Plot {
  std::string title;
  Axis x;
  Axis y;
  std::vector<Series> series;  // At most six: colours end there.
};

std::string SvgOf(const Plot& plot);

// From 0 to at least `max`, in steps of 1, 2 or 5.
Axis LinearAxis(std::string label, double max, const std::function<std::string(double)>& show);
// Over whole powers of ten that hold `min` to `max`; in logarithms. REQUIRES: 0 < min <= max.
Axis LogAxis(std::string label, double min, double max,
             const std::function<std::string(double)>& show);

// `text` as HTML and SVG take it.
std::string Escaped(std::string_view text);

}  // namespace confab::loadgen
