// help_pages.h: reads --help as a person does: what there is below, and the examples.
// Threads: pure functions.
#pragma once

#include <string>
#include <vector>

namespace confab::ctl {

struct HelpPlace {
  std::string name;
  std::string what;
};

// What stands under "Nouns:" and "Verbs:".
std::vector<HelpPlace> PlacesOf(const std::string& help);

// What stands under "Examples:", a command each; one that goes on in the next line is one.
std::vector<std::string> ExamplesOf(const std::string& help);

// The runs of confabctl within a line for a shell, as their arguments: quotes are taken away, what
// other programs do is left out.
std::vector<std::vector<std::string>> RunsOf(const std::string& line);

}  // namespace confab::ctl
