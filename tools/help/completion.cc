#include "tools/help/completion.h"

#include <algorithm>
#include <ostream>

#include <absl/strings/str_join.h>
#include <fmt/format.h>

namespace confab::help {
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

// The name of the shell's function.
std::string FunctionOf(const Place& root) {
  std::string name = "_" + root.program;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

constexpr char kBashHead[] =
    R"(  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}"
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
  out << fmt::format("# bash completion of {0}: source <({0} completion bash)\n{1}() {{\n",
                     root.program, FunctionOf(root))
      << kBashHead;
  Walk(root, [&](const Place& place) { PrintBashSteps(place, out); });
  out << kBashWords;
  Walk(root, [&](const Place& place) {
    out << fmt::format("    \"{}\") words=\"{}\" ;;\n", place.path,
                       WordsOf(place, place.path.empty() ? "" : global));
  });
  out << kBashValues;
  Walk(root, [&](const Place& place) { PrintBashValues(place, out); });
  out << kBashTail << fmt::format("complete -F {} {}\n", FunctionOf(root), root.program);
}

void PrintZsh(const Place& root, std::ostream& out) {
  out << fmt::format(
      "#compdef {0}\n# zsh completion of {0}: source <({0} completion zsh)\n"
      "autoload -U +X bashcompinit && bashcompinit\n",
      root.program);
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
    std::string line = "complete -c " + place.program + condition;
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
        "complete -c {} -n '{}; and not __fish_seen_subcommand_from{}' -a {} -d '{}'\n",
        verb.program, at_noun, verbs, verb.name, FishQuoted(verb.what));
    const std::string names = absl::StrJoin(verb.aliases, " ");
    PrintFishArguments(verb,
                       fmt::format(" -n '{}; and __fish_seen_subcommand_from {}{}'", at_noun,
                                   verb.name, names.empty() ? "" : " " + names),
                       out);
  }
  if (noun.places.empty()) PrintFishArguments(noun, fmt::format(" -n '{}'", at_noun), out);
}

void PrintFish(const Place& root, std::ostream& out) {
  out << fmt::format(
      "# fish completion of {0}: {0} completion fish | source\n"
      "complete -c {0} -f\n",
      root.program);
  PrintFishArguments(root, "", out);
  for (const Place& noun : root.places) {
    out << fmt::format("complete -c {} -n __fish_use_subcommand -a {} -d '{}'\n", noun.program,
                       noun.name, FishQuoted(noun.what));
    PrintFishNoun(noun, out);
  }
}

}  // namespace

const std::vector<std::string>& Shells() {
  static const std::vector<std::string> shells = {"bash", "zsh", "fish"};
  return shells;
}

void PrintCompletion(const std::string& shell, const Place& root, std::ostream& out) {
  if (shell == "bash") PrintBash(root, out);
  if (shell == "zsh") PrintZsh(root, out);
  if (shell == "fish") PrintFish(root, out);
}

}  // namespace confab::help
