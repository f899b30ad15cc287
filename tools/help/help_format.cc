#include "tools/help/help_format.h"

#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tools/help/command_tree.h"

namespace confab::help {
namespace {

constexpr size_t kColumnWidth = 34;
constexpr char kUngrouped[] = "Subcommands";  // What CLI11 begins with.

class Format final : public CLI::Formatter {
 public:
  explicit Format(const std::string& below) {
    column_width(kColumnWidth);
    label("SUBCOMMAND", below);
  }

  // Behind an option's name: what it takes, its default. A positional has its name alone, and the
  // usage line shows whether it may be missing.
  std::string make_option_opts(const CLI::Option* option) const override {
    const Argument argument = ArgumentOf(*option);
    std::string text;
    if (!argument.is_positional && !argument.value.empty()) text = " " + argument.value;
    if (argument.is_positional && !argument.choices.empty()) text = ": " + argument.value;
    if (!argument.is_positional && argument.is_required) text += " (required)";
    if (!argument.preset.empty()) text += "=" + argument.preset;
    return text;
  }

  std::string make_option_desc(const CLI::Option* option) const override {
    const Argument argument = ArgumentOf(*option);
    if (argument.variable.empty()) return argument.what;
    return fmt::format("{} ({})", argument.what, argument.variable);
  }
};

}  // namespace

void FormatHelp(CLI::App& root, const TreeWords& words) {
  const auto all = [](const CLI::App*) { return true; };
  const auto of_verbs = std::make_shared<Format>("VERB");
  root.formatter(std::make_shared<Format>(words.at_root));
  root.get_help_ptr()->description("Says this and ends");
  for (CLI::App* noun : root.get_subcommands(all)) {
    const std::vector<CLI::App*> verbs = noun->get_subcommands(all);
    if (noun->get_group() == kUngrouped) noun->group(verbs.empty() ? words.verbs : words.nouns);
    noun->formatter(of_verbs);
    noun->get_help_ptr()->description("Says this and ends");
    for (CLI::App* verb : verbs) {
      verb->group("Verbs");
      verb->formatter(of_verbs);
      verb->get_help_ptr()->description("Says this and ends");
    }
  }
}

}  // namespace confab::help
