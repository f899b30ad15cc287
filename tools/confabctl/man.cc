// confabctl man: the manual page, made from the verbs as they are declared.
#include <CLI/CLI.hpp>

#include "tools/confabctl/command_line.h"
#include "tools/help/man_page.h"

namespace confab::ctl {

void AddManVerb(CLI::App& app, Invocation& run) {
  CLI::App* verb = app.add_subcommand("man", "Prints the manual page of all of this");
  verb->footer(
      "Examples:\n"
      "  confabctl man | man -l -\n"
      "  confabctl man > /usr/local/share/man/man1/confabctl.1");
  verb->callback([root = &app, &run] {
    run.needs_settings = false;
    run.verb = [root](Invocation& r) {
      help::ManPage page{
          .root = help::TreeOf(*root), .summary = "administers Confab", .exit_codes = {}};
      for (const auto& [code, what] : ExitMeanings()) {
        page.exit_codes.emplace_back(static_cast<int>(code), what);
      }
      help::PrintManPage(page, r.streams.out);
      return Exit::kDone;
    };
  });
}

}  // namespace confab::ctl
