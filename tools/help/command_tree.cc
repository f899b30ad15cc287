#include "tools/help/command_tree.h"

#include <string_view>

#include <CLI/CLI.hpp>
#include <absl/strings/str_split.h>

namespace confab::help {
namespace {

constexpr std::string_view kExamples = "Examples:\n";

// "{on,off}" in what CLI11 calls an option's type gives on and off.
std::vector<std::string> ChoicesOf(std::string_view type) {
  const size_t open = type.find('{');
  const size_t close = type.find('}');
  if (open == std::string_view::npos || close == std::string_view::npos) return {};
  std::string list(type.substr(open + 1, close - open - 1));
  return absl::StrSplit(list, ',');
}

std::string ValueOf(const CLI::Option& option, const std::vector<std::string>& choices) {
  if (option.get_type_size() == 0) return "";
  if (!choices.empty()) {
    std::string value;
    for (const std::string& choice : choices) value += (value.empty() ? "" : "|") + choice;
    return value;
  }
  const std::string type = option.get_type_name();
  const std::string word = type.substr(0, type.find(':'));
  return word == "INT" || word == "UINT" || word == "FLOAT" ? "NUMBER" : word;
}

void SplitFooter(const std::string& footer, Place& place) {
  const size_t at = footer.find(kExamples);
  place.notes = footer.substr(0, at);
  while (place.notes.ends_with('\n')) place.notes.pop_back();
  if (at == std::string::npos) return;
  const std::vector<std::string> lines = absl::StrSplit(footer.substr(at + kExamples.size()), '\n');
  for (const std::string& line : lines) {
    if (!line.starts_with("  ")) break;
    place.examples.push_back(line.substr(2));
  }
}

Place PlaceOf(const CLI::App& app, const std::string& program, const std::string& path) {
  Place place;
  place.program = program;
  place.path = path;
  place.name = app.get_name();
  place.group = app.get_group();
  place.aliases = app.get_aliases();
  place.what = app.get_description();
  SplitFooter(app.get_footer(), place);
  for (const CLI::Option* option : app.get_options()) {
    place.arguments.push_back(ArgumentOf(*option));
  }
  for (const CLI::App* below : app.get_subcommands([](const CLI::App*) { return true; })) {
    place.places.push_back(PlaceOf(
        *below, program, path.empty() ? below->get_name() : path + " " + below->get_name()));
  }
  if (!place.places.empty()) place.below = app.get_formatter()->get_label("SUBCOMMAND");
  return place;
}

}  // namespace

Argument ArgumentOf(const CLI::Option& option) {
  Argument argument;
  argument.is_positional = option.get_positional();
  argument.name = argument.is_positional ? option.get_name(true) : "--" + option.get_lnames().at(0);
  if (!option.get_snames().empty()) argument.short_name = "-" + option.get_snames().front();
  argument.what = option.get_description();
  argument.choices = ChoicesOf(option.get_type_name());
  argument.value = ValueOf(option, argument.choices);
  argument.preset = option.get_default_str();
  argument.variable = option.get_envname();
  argument.is_required = option.get_required();
  argument.is_repeated = option.get_expected_max() > 1;
  return argument;
}

Place TreeOf(const CLI::App& root) { return PlaceOf(root, root.get_name(), ""); }

std::string Place::Usage() const {
  std::string usage = program + (path.empty() ? "" : " " + path) + " [OPTIONS]";
  for (const Argument& argument : arguments) {
    if (!argument.is_positional) continue;
    const std::string shown = argument.name + (argument.is_repeated ? "..." : "");
    usage += argument.is_required ? " " + shown : " [" + shown + "]";
  }
  return below.empty() ? usage : usage + " " + below;
}

}  // namespace confab::help
