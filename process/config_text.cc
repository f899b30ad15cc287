#include "process/config_text.h"

#include <algorithm>
#include <vector>

#include <absl/strings/str_replace.h>
#include <absl/strings/str_split.h>
#include <fmt/format.h>

namespace confab::process {
namespace {

constexpr std::string_view kIntroduction =
    "Each flag is also an environment variable (CONFAB_OPS_LISTEN for --ops-listen; an empty one "
    "counts as not set) and a key of the --config file (ops-listen = \"...\"). A flag wins over "
    "the "
    "environment, the environment over the file. Times are written 250ms, 10s, 1h; lists a,b,c.";

constexpr size_t kHelpIndent = 6;
constexpr size_t kHelpWidth = 92;

// postgresql://user:secret@host -> postgresql://user:***@host, also ?password=secret
std::string Masked(std::string text) {
  const size_t scheme = text.find("://");
  if (scheme == std::string::npos) return text;
  const size_t host_end = text.find_first_of("/?", scheme + 3);
  const size_t at = text.rfind('@', host_end);
  const size_t colon = text.find(':', scheme + 3);
  if (at != std::string::npos && at > scheme && colon < at) {
    text.replace(colon + 1, at - colon - 1, "***");
  }
  const size_t parameter = text.find("password=");
  if (parameter != std::string::npos) {
    const size_t start = parameter + 9;
    text.replace(start, std::min(text.find('&', start), text.size()) - start, "***");
  }
  return text;
}

// The words of `text` in lines of at most `width`, the later ones indented.
std::string Wrapped(std::string_view text, size_t indent, size_t width) {
  std::string out;
  size_t column = indent;
  for (const auto word :
       absl::StrSplit(absl::string_view(text.data(), text.size()), ' ', absl::SkipEmpty())) {
    if (column > indent && column + 1 + word.size() > width) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      out += ' ';
      ++column;
    }
    out.append(word.data(), word.size());
    column += word.size();
  }
  return out;
}

std::vector<std::string> GroupsOf(const std::deque<ConfigOption>& options) {
  std::vector<std::string> groups;
  for (const ConfigOption& option : options) {
    if (std::find(groups.begin(), groups.end(), option.group()) == groups.end()) {
      groups.push_back(option.group());
    }
  }
  return groups;
}

}  // namespace

std::string ConfigFile(std::string_view program, const std::deque<ConfigOption>& options) {
  std::string out = fmt::format("# Options of {}: read with --config FILE.\n", program);
  for (const std::string& group : GroupsOf(options)) {
    out += fmt::format("\n# {}\n", group.empty() ? "Options" : group);
    for (const ConfigOption& option : options) {
      if (option.group() != group) continue;
      const std::string help = Wrapped(option.help(), 0, kHelpWidth);
      out += fmt::format("\n# {}\n{} = {}{}\n", absl::StrReplaceAll(help, {{"\n", "\n# "}}),
                         option.flag(), Masked(option.ShowToml()),
                         option.origin() == "default" ? "" : "  # from " + option.origin());
    }
  }
  return out;
}

std::string ConfigHelp(std::string_view program, std::string_view summary,
                       const std::deque<ConfigOption>& options, const ConfigExamples& examples) {
  std::string out = fmt::format("{}\n\nUsage: {} [--flag VALUE | --flag=VALUE]...\n\n{}\n", summary,
                                program, Wrapped(kIntroduction, 0, kHelpWidth));
  const std::string indent(kHelpIndent, ' ');
  for (const std::string& group : GroupsOf(options)) {
    out += fmt::format("\n{}:\n", group.empty() ? "Options" : group);
    for (const ConfigOption& option : options) {
      if (option.group() != group) continue;
      const std::string shown = option.Show();
      const std::string names =
          option.is_bool() ? "[no-]" + option.flag() : option.flag() + " " + option.placeholder();
      out += fmt::format("  --{}\n{}{}\n{}(default {}; {})\n", names, indent,
                         Wrapped(option.help(), kHelpIndent, kHelpWidth), indent,
                         shown.empty() ? "none" : Masked(shown), option.EnvironmentName());
    }
  }
  out +=
      "\nAbout the process:\n"
      "  --config FILE\n      read options from this TOML file (CONFAB_CONFIG)\n"
      "  --print-config\n      print the configuration in force, as such a file, and exit\n"
      "  --help, -h\n  --version\n";
  if (!examples.empty()) out += "\nExamples:\n";
  for (const auto& [command, what] : examples) {
    out += fmt::format("  # {}\n  {}\n", what, command);
  }
  return out;
}

}  // namespace confab::process
