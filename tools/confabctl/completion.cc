// confabctl completion: scripts for bash, zsh and fish, made from the verbs as they are declared.
#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>
#include <absl/strings/str_join.h>
#include <fmt/format.h>

#include "tools/confabctl/command_line.h"
#include "tools/confabctl/command_tree.h"

namespace confab::ctl {
namespace {

// Words that may stand at `place`: what is below it, what its positionals may be, its options and
// those of everything above.
std::string WordsOf(const Place& place, const std::string& of_above) {
  std::vector<std::string> words;
  for (const Place& below : place.places) words.push_back(below.name);
  for (const Argument& argument : place.arguments) {
    if (!argument.is_positional) {
      words.push_back(argument.name);
    } else {
      words.insert(words.end(), argument.choices.begin(), argument.choices.end());
    }
  }
  return absl::StrJoin(words, " ") + (of_above.empty() ? "" : " " + of_above);
}

// The options that hold at every place; --help and --version are no help there.
std::string GlobalWords(const Place& root) {
  std::vector<std::string> words;
  for (const Argument& argument : root.arguments) {
    if (argument.name != "--help" && argument.name != "--version") words.push_back(argument.name);
  }
  return absl::StrJoin(words, " ");
}

template <typename Visit>
void Walk(const Place& place, const Visit& visit) {
  visit(place);
  for (const Place& below : place.places) Walk(below, visit);
}

constexpr char kBashHead[] = R"(# bash completion of confabctl: source <(confabctl completion bash)
_confabctl() {
  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}"
  local path="" word words=""
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path/$word" in
)";
constexpr char kBashWords[] = R"(    esac
  done
  case "$path" in
)";
constexpr char kBashValues[] = R"(  esac
  case "$path|$previous" in
)";
constexpr char kBashTail[] = R"(  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _confabctl confabctl
)";

void PrintBashSteps(const Place& place, std::ostream& out) {
  for (const Place& below : place.places) {
    out << fmt::format("      \"{}/{}\")", place.path, below.name);
    out << fmt::format(" path=\"{}\" ;;\n", below.path);
    for (const std::string& alias : below.aliases) {
      out << fmt::format("      \"{}/{}\") path=\"{}\" ;;\n", place.path, alias, below.path);
    }
  }
}

// What may stand behind an option that takes a value; those of the root stand behind every path.
void PrintBashValues(const Place& place, std::ostream& out) {
  const std::string path = place.path.empty() ? "*" : "\"" + place.path + "\"";
  for (const Argument& argument : place.arguments) {
    if (argument.is_positional || argument.value.empty()) continue;
    std::string pattern = fmt::format("{}\"|{}\"", path, argument.name);
    if (!argument.short_name.empty()) {
      pattern += fmt::format("|{}\"|{}\"", path, argument.short_name);
    }
    out << "    " << pattern << ") ";
    if (argument.is_file()) {
      out << "COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n";
    } else {
      out << fmt::format("words=\"{}\" ;;\n", absl::StrJoin(argument.choices, " "));
    }
  }
}

void PrintBash(const Place& root, std::ostream& out) {
  const std::string global = GlobalWords(root);
  out << kBashHead;
  Walk(root, [&](const Place& place) { PrintBashSteps(place, out); });
  out << kBashWords;
  Walk(root, [&](const Place& place) {
    out << fmt::format("    \"{}\") words=\"{}\" ;;\n", place.path,
                       WordsOf(place, place.path.empty() ? "" : global));
  });
  out << kBashValues;
  Walk(root, [&](const Place& place) { PrintBashValues(place, out); });
  out << kBashTail;
}

void PrintZsh(const Place& root, std::ostream& out) {
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

void PrintFishArguments(const Place& place, const std::string& condition, std::ostream& out) {
  for (const Argument& argument : place.arguments) {
    std::string line = "complete -c confabctl" + condition;
    const std::string choices = absl::StrJoin(argument.choices, " ");
    if (argument.is_positional) {
      if (!choices.empty()) out << fmt::format("{} -a '{}'\n", line, choices);
      continue;
    }
    line += " -l " + argument.name.substr(2);
    if (!argument.short_name.empty()) line += " -s " + argument.short_name.substr(1);
    if (argument.is_file()) line += " -r -F";
    if (!choices.empty()) line += fmt::format(" -x -a '{}'", choices);
    if (!argument.value.empty() && choices.empty() && !argument.is_file()) line += " -x";
    out << fmt::format("{} -d '{}'\n", line, FishQuoted(argument.what));
  }
}

void PrintFishNoun(const Place& noun, std::ostream& out) {
  const std::string at_noun = "__fish_seen_subcommand_from " + noun.name;
  std::string verbs;
  for (const Place& verb : noun.places) verbs += " " + verb.name;
  for (const Place& verb : noun.places) {
    out << fmt::format(
        "complete -c confabctl -n '{}; and not __fish_seen_subcommand_from{}' -a {} -d '{}'\n",
        at_noun, verbs, verb.name, FishQuoted(verb.what));
    const std::string names = absl::StrJoin(verb.aliases, " ");
    PrintFishArguments(verb,
                       fmt::format(" -n '{}; and __fish_seen_subcommand_from {}{}'", at_noun,
                                   verb.name, names.empty() ? "" : " " + names),
                       out);
  }
  if (noun.places.empty()) PrintFishArguments(noun, fmt::format(" -n '{}'", at_noun), out);
}

void PrintFish(const Place& root, std::ostream& out) {
  out << "# fish completion of confabctl: confabctl completion fish | source\n"
         "complete -c confabctl -f\n";
  PrintFishArguments(root, "", out);
  for (const Place& noun : root.places) {
    out << fmt::format("complete -c confabctl -n __fish_use_subcommand -a {} -d '{}'\n", noun.name,
                       FishQuoted(noun.what));
    PrintFishNoun(noun, out);
  }
}

}  // namespace

void AddCompletionVerb(CLI::App& app, Invocation& run) {
  auto shell = std::make_shared<std::string>();
  CLI::App* verb = app.add_subcommand("completion", "Prints a completion script for a shell");
  verb->add_option("SHELL", *shell, "Whose")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  verb->footer(
      "Examples:\n"
      "  source <(confabctl completion bash)\n"
      "  source <(confabctl completion zsh)\n"
      "  confabctl completion fish > ~/.config/fish/completions/confabctl.fish");
  verb->callback([shell, root = &app, &run] {
    run.needs_settings = false;
    run.verb = [shell, root](Invocation& r) {
      const Place tree = TreeOf(*root);
      if (*shell == "bash") PrintBash(tree, r.streams.out);
      if (*shell == "zsh") PrintZsh(tree, r.streams.out);
      if (*shell == "fish") PrintFish(tree, r.streams.out);
      return Exit::kDone;
    };
  });
}

}  // namespace confab::ctl
