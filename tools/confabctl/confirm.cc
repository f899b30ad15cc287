#include "tools/confabctl/confirm.h"

#include <istream>
#include <ostream>

#include <CLI/CLI.hpp>

namespace confab::ctl {

void AddYes(CLI::App& verb, bool* is_yes) {
  verb.add_flag("--yes,-y", *is_yes, "Do not ask; needed where nobody can answer");
}

bool Confirm(Invocation& run, bool is_yes, const std::string& question) {
  if (is_yes) return true;
  run.streams.err << question << " [y/N] " << std::flush;
  std::string answer;
  std::getline(run.streams.in, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return true;
  run.streams.err << "nothing was done; --yes does it without asking\n";
  return false;
}

}  // namespace confab::ctl
