// json_report.h: an outcome for programs; docs/loadgen.schema.json describes it.
// Threads: pure functions.
#pragma once

#include <boost/json/object.hpp>

#include "tools/loadgen/outcome.h"

namespace confab::loadgen {

boost::json::object JsonOf(const Outcome& outcome);

}  // namespace confab::loadgen
