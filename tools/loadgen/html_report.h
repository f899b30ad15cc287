// html_report.h: an outcome as one page that needs nothing else: tables and plots, readable in light
// and dark, to be kept or sent on.
// Threads: pure functions.
#pragma once

#include <string>

#include "tools/loadgen/outcome.h"

namespace confab::loadgen {

std::string HtmlOf(const Outcome& outcome);

}  // namespace confab::loadgen
