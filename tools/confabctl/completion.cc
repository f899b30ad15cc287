// confabctl completion: scripts for bash, zsh and fish, made from the verbs as they are declared.
#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tools/confabctl/command_line.h"

namespace confab::ctl {
namespace {

// Words that may stand behind `app`: its verbs, its flags and those of everything above it.
std::string WordsOf(const CLI::App* app) {
  std::string words;
  for (const CLI::App* verb : app->get_subcommands([](const CLI::App*) { return true; })) {
    words += verb->get_name() + " ";
  }
  for (const CLI::App* at = app; at != nullptr; at = at->get_parent()) {
    for (const CLI::Option* option : at->get_options()) {
      for (const std::string& name : option->get_lnames()) {
        if (at == app || (name != "help" && name != "version")) words += "--" + name + " ";
      }
    }
  }
  if (!words.empty()) words.pop_back();
  return words;
}

// Calls visit("room create", words) for every place in the tree, "" for the root.
template <typename Visit>
void Walk(const CLI::App* app, const std::string& path, const Visit& visit) {
  visit(path, WordsOf(app));
  for (const CLI::App* verb : app->get_subcommands([](const CLI::App*) { return true; })) {
    Walk(verb, path.empty() ? verb->get_name() : path + " " + verb->get_name(), visit);
  }
}

constexpr char kBashHead[] = R"(# bash completion of confabctl: source <(confabctl completion bash)
_confabctl() {
  local current="${COMP_WORDS[COMP_CWORD]}" path="" word words=""
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path/$word" in
)";
constexpr char kBashMiddle[] = R"(    esac
  done
  case "$path" in
)";
constexpr char kBashTail[] = R"(  esac
  case "${COMP_WORDS[COMP_CWORD-1]}" in
    -o|--output) words="table json jsonl" ;;
    --role) words="reader member moderator owner" ;;
    --from-file|--user-secret-file|--service-secret-file)
      COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _confabctl confabctl
)";

void PrintBash(const CLI::App* root, std::ostream& out) {
  out << kBashHead;
  Walk(root, "", [&](const std::string& path, const std::string&) {
    if (path.empty()) return;
    const size_t cut = path.rfind(' ');
    const std::string parent = cut == std::string::npos ? "" : path.substr(0, cut);
    const std::string name = cut == std::string::npos ? path : path.substr(cut + 1);
    out << fmt::format("      \"{}/{}\") path=\"{}\" ;;\n", parent, name, path);
  });
  out << kBashMiddle;
  Walk(root, "", [&](const std::string& path, const std::string& words) {
    out << fmt::format("    \"{}\") words=\"{}\" ;;\n", path, words);
  });
  out << kBashTail;
}

void PrintZsh(const CLI::App* root, std::ostream& out) {
  out << "#compdef confabctl\n# zsh completion of confabctl: source <(confabctl completion zsh)\n"
         "autoload -U +X bashcompinit && bashcompinit\n";
  PrintBash(root, out);
}

std::string FishQuoted(const std::string& text) {
  std::string quoted;
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted;
}

void PrintFishOptions(const CLI::App* app, const std::string& condition, std::ostream& out) {
  for (const CLI::Option* option : app->get_options()) {
    for (const std::string& name : option->get_lnames()) {
      out << fmt::format("complete -c confabctl {} -l {}{} -d '{}'\n", condition, name,
                         option->get_items_expected_max() > 0 ? " -r" : "",
                         FishQuoted(option->get_description()));
    }
  }
}

void PrintFish(const CLI::App* root, std::ostream& out) {
  out << "# fish completion of confabctl: confabctl completion fish | source\n"
         "complete -c confabctl -f\n"
         "complete -c confabctl -s o -r -a 'table json'\n";
  PrintFishOptions(root, "", out);
  const auto all = [](const CLI::App*) { return true; };
  for (const CLI::App* noun : root->get_subcommands(all)) {
    out << fmt::format("complete -c confabctl -n __fish_use_subcommand -a {} -d '{}'\n",
                       noun->get_name(), FishQuoted(noun->get_description()));
    std::string verbs;
    for (const CLI::App* verb : noun->get_subcommands(all)) verbs += " " + verb->get_name();
    for (const CLI::App* verb : noun->get_subcommands(all)) {
      const std::string at_noun = "__fish_seen_subcommand_from " + noun->get_name();
      out << fmt::format(
          "complete -c confabctl -n '{}; and not __fish_seen_subcommand_from{}' -a {} -d '{}'\n",
          at_noun, verbs, verb->get_name(), FishQuoted(verb->get_description()));
      PrintFishOptions(
          verb,
          fmt::format("-n '{}; and __fish_seen_subcommand_from {}'", at_noun, verb->get_name()),
          out);
    }
  }
}

}  // namespace

void AddCompletionVerb(CLI::App& app, Invocation& run) {
  auto shell = std::make_shared<std::string>();
  CLI::App* verb = app.add_subcommand("completion", "Prints a completion script for a shell");
  verb->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  verb->footer(
      "Examples:\n"
      "  source <(confabctl completion bash)\n"
      "  source <(confabctl completion zsh)\n"
      "  confabctl completion fish > ~/.config/fish/completions/confabctl.fish");
  verb->callback([shell, root = &app, &run] {
    run.verb = [shell, root](Invocation& r) {
      if (*shell == "bash") PrintBash(root, r.streams.out);
      if (*shell == "zsh") PrintZsh(root, r.streams.out);
      if (*shell == "fish") PrintFish(root, r.streams.out);
      return Exit::kDone;
    };
  });
}

}  // namespace confab::ctl
