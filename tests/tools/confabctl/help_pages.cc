#include "tests/tools/confabctl/help_pages.h"

#include <sstream>

namespace confab::ctl {
namespace {

// The lines between one that says `head` and the next empty one.
std::vector<std::string> SectionOf(const std::string& help, const std::string& head) {
  std::vector<std::string> lines;
  std::istringstream in(help);
  bool is_within = false;
  for (std::string line; std::getline(in, line);) {
    if (is_within && line.empty()) break;
    if (is_within) lines.push_back(line);
    if (line == head) is_within = true;
  }
  return lines;
}

// Words of a line for a shell; an operator such as | or && is a word.
std::vector<std::string> WordsOf(const std::string& line) {
  std::vector<std::string> words;
  char quote = 0;
  bool is_open = false;
  for (const char c : line) {
    if (quote != 0 ? c == quote : c == '\'' || c == '"') {
      quote = quote != 0 ? '\0' : c;
      if (!is_open) words.emplace_back();
      is_open = true;
    } else if (quote == 0 && c == ' ') {
      is_open = false;
    } else {
      if (!is_open) words.emplace_back();
      is_open = true;
      words.back() += c;
    }
  }
  return words;
}

}  // namespace

std::vector<HelpPlace> PlacesOf(const std::string& help) {
  std::vector<HelpPlace> places;
  for (const char* head : {"Nouns:", "Verbs:"}) {
    for (const std::string& line : SectionOf(help, head)) {
      if (line.size() < 3 || line[2] == ' ') continue;  // Goes on with a description.
      const size_t end = line.find_first_of(" ,", 2);
      const size_t what = line.find_first_not_of(' ', line.find("  ", 2));
      places.push_back({line.substr(2, end - 2), line.substr(what)});
    }
  }
  return places;
}

std::vector<std::string> ExamplesOf(const std::string& help) {
  std::vector<std::string> examples;
  bool goes_on = false;
  for (std::string line : SectionOf(help, "Examples:")) {
    const bool is_more = goes_on;
    goes_on = line.ends_with('\\');
    if (goes_on) line.pop_back();
    if (is_more) {
      examples.back() += line;
    } else {
      examples.push_back(line);
    }
  }
  return examples;
}

std::vector<std::vector<std::string>> RunsOf(const std::string& line) {
  std::vector<std::vector<std::string>> runs;
  bool is_ours = false;
  bool is_first = true;
  for (const std::string& word : WordsOf(line)) {
    const bool ends = word == "|" || word == "&&" || word == ">" || word == ">>";
    if (is_first && word == "confabctl") runs.emplace_back();
    if (is_first) is_ours = word == "confabctl";
    if (!is_first && !ends && is_ours) runs.back().push_back(word);
    if (ends) is_ours = false;
    is_first = word == "|" || word == "&&";
  }
  return runs;
}

}  // namespace confab::ctl
