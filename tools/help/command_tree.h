// command_tree.h: a program's verbs as they are declared, for what is written from them: help,
// completion, the man page.
// Threads: pure functions.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace confab::help {

// An option or a positional.
struct Argument {
  std::string name;        // "--from-file", "ROOM".
  std::string short_name;  // "-o"; empty if there is none.
  std::string what;
  std::string value;  // "TEXT", "NUMBER", "FILE", "on|off"; empty: a flag.
  std::vector<std::string> choices;
  std::string preset;    // The default, if one is shown.
  std::string variable;  // Of the environment; empty if none is read.
  bool is_positional = false;
  bool is_required = false;
  bool is_repeated = false;

  bool is_file() const { return value == "FILE"; }
};

// A place in the tree: the root, a noun or a verb.
struct Place {
  std::string program;  // "confabctl"
  std::string path;     // "room create"; empty at the root.
  std::string name;     // "create"
  std::string group;    // Under which the help lists it: "Nouns".
  std::vector<std::string> aliases;
  std::string what;
  std::string below;                  // What may follow: "VERB"; empty: nothing more.
  std::string notes;                  // What the help says below the options.
  std::vector<std::string> examples;  // Lines, without the indentation.
  std::vector<Argument> arguments;
  std::vector<Place> places;

  std::string Usage() const;  // "confabctl room create [OPTIONS] ROOM"
};

Argument ArgumentOf(const CLI::Option& option);
Place TreeOf(const CLI::App& root);

}  // namespace confab::help
