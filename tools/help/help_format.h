// help_format.h: how --help looks, the same at every place of the tree.
// Threads: caller serialises.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace confab::help {

// What stands in place of verbs: at the root, and as the headings of what is below it.
struct TreeWords {
  std::string at_root = "NOUN VERB";
  std::string nouns = "Nouns";
  std::string verbs = "Verbs";  // Below the root that have none below themselves.
};

// To be called when every verb is declared. Who has a group already keeps it.
void FormatHelp(CLI::App& root, const TreeWords& words = {});

}  // namespace confab::help
