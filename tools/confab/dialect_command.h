// `confab dialect …`: looks at dialect files without starting anything.
#pragma once

#include <span>

namespace confab {

// Runs `confab dialect ARGS…` and gives the exit code: 0, or 1 if a file is faulty, or 2 if the
// line is.
int RunDialectCommand(std::span<char* const> args);

}  // namespace confab
