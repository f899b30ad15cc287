// text_report.h: an outcome for people at a terminal.
// Threads: pure functions.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tools/loadgen/outcome.h"

namespace confab::loadgen {

// Rows of a table, the first one its head.
using Rows = std::vector<std::vector<std::string>>;

// What was asked and what came of it: a name and a text each. Also in the HTML report.
std::vector<std::pair<std::string, std::string>> SummaryOf(const Outcome& outcome);
Rows LatencyRows(const Outcome& outcome);
Rows ProcessRows(const Outcome& outcome);  // Empty: none was watched.

// The verdict in one line, and what to do about refusals and a tool that was too busy.
std::string VerdictOf(const Outcome& outcome);
std::vector<std::string> NotesOf(const Outcome& outcome);

std::string TextOf(const Outcome& outcome);

}  // namespace confab::loadgen
