// config_loader.h: flag > environment CONFAB_… > --config FILE > default, into a struct's fields.
// Owns: the options and where each value came from.   Used by: each main().
// Threads: caller serialises (main, before any thread).
// Fails: INVALID_ARGUMENT naming flag, variable or file line and what is allowed.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "process/config_option.h"

namespace confab::process {

class ConfigLoader {
 public:
  // `program` is the binary's name, `summary` the first lines of --help.
  ConfigLoader(std::string program, std::string summary);

  // The field's value at this moment is the default. A flag added twice (edge and control in one
  // process) is one flag that sets both fields; they must be of one type. The reference stays
  // valid until Drop.
  ConfigOption& Add(std::string_view flag, ConfigOption::Target target, std::string_view help,
                    std::string_view group = "");

  // Takes a flag out again: for a process that decides that value itself.
  void Drop(std::string_view flag);

  // Shown at the end of --help.
  void Example(std::string_view command, std::string_view what);

  // True: run. False: --help, --version or --print-config was answered on stdout; exit with 0.
  // After an error the fields are unspecified.
  absl::StatusOr<bool> Load(int argc, const char* const* argv);

  // "--listen", "CONFAB_LISTEN", "confab.toml:3" or "default": for messages about a value that
  // turned out wrong later. "" if there is no such flag.
  std::string OriginOf(std::string_view flag) const;

  // Flags whose values differ from those of `running` and do not hold without a restart.
  std::vector<std::string> FlagsToRestartFor(const ConfigLoader& running) const;

  // Things to log that are no errors: CONFAB_… variables that look like a misspelt flag's.
  const std::vector<std::string>& warnings() const { return warnings_; }

  const std::deque<ConfigOption>& options() const { return options_; }
  std::string HelpText() const;
  // The configuration in force as a file that --config reads, each option with its help; a
  // password in a URL is masked.
  std::string ConfigText() const;

 private:
  ConfigOption* Find(std::string_view flag);
  absl::Status Set(ConfigOption& option, std::string_view text, std::string origin,
                   std::string_view where);
  absl::Status LoadFile(const std::string& path);
  absl::Status LoadEnvironment();
  absl::Status ReadFlags(int argc, const char* const* argv);
  absl::StatusOr<bool> ReadFlag(std::string_view word, const char* next);
  void WarnOfStrangeVariables();
  std::string Suggestion(std::string_view flag, std::string_view prefix) const;

  std::string program_;
  std::string summary_;
  std::deque<ConfigOption> options_;
  std::vector<std::pair<std::string, std::string>> examples_;
  std::vector<std::string> warnings_;

  // The built-in flags and what the command line said, applied last.
  std::string config_path_;
  bool wants_help_ = false;
  bool wants_version_ = false;
  bool wants_config_ = false;
  std::vector<std::pair<ConfigOption*, std::string>> given_;
};

}  // namespace confab::process
