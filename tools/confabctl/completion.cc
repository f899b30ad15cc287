// confabctl completion: scripts for bash, zsh and fish, made from the verbs as they are declared.
#include "tools/help/completion.h"

#include <memory>

#include <CLI/CLI.hpp>

#include "tools/confabctl/command_line.h"

namespace confab::ctl {

void AddCompletionVerb(CLI::App& app, Invocation& run) {
  auto shell = std::make_shared<std::string>();
  CLI::App* verb = app.add_subcommand("completion", "Prints a completion script for a shell");
  verb->add_option("SHELL", *shell, "Whose")->required()->check(CLI::IsMember(help::Shells()));
  verb->footer(
      "Examples:\n"
      "  source <(confabctl completion bash)\n"
      "  source <(confabctl completion zsh)\n"
      "  confabctl completion fish > ~/.config/fish/completions/confabctl.fish");
  verb->callback([shell, root = &app, &run] {
    run.needs_settings = false;
    run.verb = [shell, root](Invocation& r) {
      help::PrintCompletion(*shell, help::TreeOf(*root), r.streams.out);
      return Exit::kDone;
    };
  });
}

}  // namespace confab::ctl
