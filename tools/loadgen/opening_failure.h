// opening_failure.h: what it means for a run that rooms could not be made or a client not be opened:
// an exit code, and a line that says what to do.
// Threads: pure functions.
#pragma once

#include <string>

#include "tools/loadgen/chat_client.h"
#include "tools/loadgen/failure.h"
#include "tools/loadgen/http_answer.h"

namespace confab::loadgen {

// `where` is the URL.
Failure FailureOf(const Ending& ending, const std::string& where);
Failure FailureOf(const HttpAnswer& answer, const std::string& where);

}  // namespace confab::loadgen
