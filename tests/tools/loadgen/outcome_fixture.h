// outcome_fixture.h: an outcome with something in every part of it.
// Threads: values.
#pragma once

#include "tools/loadgen/outcome.h"

namespace confab::loadgen {

Outcome SampleOutcome(Scenario scenario);

}  // namespace confab::loadgen
