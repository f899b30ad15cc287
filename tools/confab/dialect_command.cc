#include "tools/confab/dialect_command.h"

#include <cstdio>
#include <string>
#include <string_view>

#include "edge/dialect/builtin_dialects.h"
#include "edge/dialect/dialect_loader.h"

namespace confab {

namespace {

constexpr int kGood = 0;
constexpr int kFaulty = 1;
constexpr int kWrongLine = 2;

constexpr char kUsage[] =
    "Looks at the files that say how a family of Socket.IO clients names its events.\n"
    "\n"
    "Usage:\n"
    "  confab dialect check FILE   what each event maps to, or what is wrong and in which line\n"
    "  confab dialect show NAME    a built-in dialect, to begin one of your own with\n"
    "\n"
    "Examples:\n"
    "  confab dialect show rooms > dialects/mine.json\n"
    "  confab dialect check dialects/mine.json && confab --dialect-dir dialects\n"
    "\n"
    "Exit codes: 0 good, 1 the file is faulty or not there, 2 the line is wrong.\n"
    "docs/dialects.md describes the format.\n";

int Check(const std::string& file) {
  const auto dialect = edge::LoadDialectFile(file);
  if (!dialect.ok()) {
    std::fprintf(stderr, "%s\n", std::string(dialect.status().message()).c_str());
    return kFaulty;
  }
  std::printf("%s: dialect %s\n", file.c_str(), std::string((*dialect)->name()).c_str());
  for (const std::string& line : (*dialect)->description()) std::printf("  %s\n", line.c_str());
  return kGood;
}

int Show(std::string_view name) {
  std::string names;
  for (const edge::BuiltinDialect& builtin : edge::BuiltinDialects()) {
    const std::string_view stem = builtin.file.substr(0, builtin.file.rfind('.'));
    if (stem == name) {
      std::fwrite(builtin.text.data(), 1, builtin.text.size(), stdout);
      return kGood;
    }
    names += (names.empty() ? "" : ", ") + std::string(stem);
  }
  std::fprintf(stderr, "no dialect named %s is built in; there is: %s\n", std::string(name).c_str(),
               names.c_str());
  return kFaulty;
}

}  // namespace

int RunDialectCommand(std::span<char* const> args) {
  const std::string_view verb = args.empty() ? "" : args[0];
  if (verb == "--help" || verb == "-h") {
    std::fputs(kUsage, stdout);
    return kGood;
  }
  if (args.size() == 2 && verb == "check") return Check(args[1]);
  if (args.size() == 2 && verb == "show") return Show(args[1]);
  std::fputs(kUsage, stderr);
  return kWrongLine;
}

}  // namespace confab
