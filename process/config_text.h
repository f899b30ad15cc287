// config_text.h: the options as --help and as a file for --config; pure.
// Threads: immutable.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "process/config_option.h"

namespace confab::process {

using ConfigExamples = std::vector<std::pair<std::string, std::string>>;  // Command, what for.

std::string ConfigHelp(std::string_view program, std::string_view summary,
                       const std::deque<ConfigOption>& options, const ConfigExamples& examples);

// Present values, each with its help and, unless it is the default, where it came from. A password
// in a URL is masked.
std::string ConfigFile(std::string_view program, const std::deque<ConfigOption>& options);

}  // namespace confab::process
