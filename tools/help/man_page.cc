#include "tools/help/man_page.h"

#include <ostream>
#include <set>
#include <string_view>

#include <absl/strings/ascii.h>
#include <fmt/format.h>

namespace confab::help {
namespace {

// Text as roff takes it: no line of it is read as a request.
std::string Roff(std::string_view text) {
  std::string written;
  bool is_at_start = true;
  for (const char c : text) {
    if (is_at_start && (c == '.' || c == '\'')) written += "\\&";
    is_at_start = c == '\n';
    if (c == '\\') {
      written += "\\e";
    } else if (c == '-') {
      written += "\\-";
    } else if (c == '\'') {
      written += "\\(aq";
    } else if (c == '~') {
      written += "\\(ti";
    } else if (c == '^') {
      written += "\\(ha";
    } else {
      written += c;
    }
  }
  return written;
}

void PrintParagraphs(std::string_view text, std::ostream& out) {
  while (!text.empty()) {
    const size_t end = text.find("\n\n");
    out << ".PP\n" << Roff(text.substr(0, end)) << '\n';
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 2);
  }
}

void PrintArgument(const Argument& argument, std::ostream& out) {
  std::string head = "\\fB" + Roff(argument.name) + "\\fR";
  if (!argument.short_name.empty()) head = "\\fB" + Roff(argument.short_name) + "\\fR, " + head;
  if (!argument.is_positional && !argument.value.empty()) {
    head += " \\fI" + Roff(argument.value) + "\\fR";
  }
  if (argument.is_positional && !argument.choices.empty()) head += ": " + Roff(argument.value);
  std::string what = argument.what;
  if (!argument.preset.empty()) what += fmt::format(" (default: {})", argument.preset);
  if (!argument.variable.empty()) what += fmt::format(" ({})", argument.variable);
  out << ".TP\n" << head << '\n' << Roff(what) << '\n';
}

void PrintArguments(const Place& place, std::ostream& out) {
  for (const Argument& argument : place.arguments) {
    if (argument.is_positional) PrintArgument(argument, out);
  }
  for (const Argument& argument : place.arguments) {
    if (!argument.is_positional && argument.name != "--help") PrintArgument(argument, out);
  }
}

void PrintExamples(const Place& place, std::ostream& out) {
  if (place.examples.empty()) return;
  out << ".PP\n.RS 4\n.nf\n";
  for (const std::string& line : place.examples) out << Roff(line) << '\n';
  out << ".fi\n.RE\n";
}

void PrintVerb(const Place& place, std::ostream& out) {
  out << ".SS " << Roff(place.Usage()) << '\n' << Roff(place.what) << ".\n";
  if (!place.aliases.empty()) out << "Also called \\fB" << Roff(place.aliases.front()) << "\\fR.\n";
  PrintArguments(place, out);
  PrintParagraphs(place.notes, out);
  PrintExamples(place, out);
}

// What has nothing below itself, under the heading of its group.
void PrintLeaves(const Place& root, std::ostream& out) {
  std::set<std::string> printed;
  for (const Place& first : root.places) {
    if (!first.places.empty() || !printed.insert(first.group).second) continue;
    out << fmt::format(".SH {}\n", Roff(absl::AsciiStrToUpper(first.group)));
    for (const Place& verb : root.places) {
      if (verb.places.empty() && verb.group == first.group) PrintVerb(verb, out);
    }
  }
}

}  // namespace

void PrintManPage(const ManPage& page, std::ostream& out) {
  const Place& root = page.root;
  const std::string name = Roff(root.program);
  out << fmt::format(".\\\" Printed by {0} man.\n.TH {1} 1 \"\" \"Confab {2}\" \"Confab\"\n",
                     root.program, absl::AsciiStrToUpper(name), CONFAB_VERSION)
      << fmt::format(".SH NAME\n{} \\- {}\n", name, Roff(page.summary)) << ".SH SYNOPSIS\n"
      << Roff(root.Usage()) << '\n'
      << ".SH DESCRIPTION\n"
      << Roff(root.what) << '\n';
  PrintParagraphs(root.notes, out);
  out << ".SH OPTIONS\nThey may stand anywhere and hold for every verb.\n";
  PrintArguments(root, out);
  for (const Place& noun : root.places) {
    if (noun.places.empty()) continue;
    out << fmt::format(".SH {}\n{}.\n", Roff(absl::AsciiStrToUpper(noun.name)), Roff(noun.what));
    for (const Place& verb : noun.places) PrintVerb(verb, out);
  }
  PrintLeaves(root, out);
  out << ".SH EXIT STATUS\n";
  for (const auto& [code, what] : page.exit_codes) {
    out << fmt::format(".TP\n{}\n{}\n", code, Roff(what));
  }
  out << ".SH EXAMPLES\n";
  PrintExamples(root, out);
}

}  // namespace confab::help
