// config_loader.h: flag > environment CONFAB_… > --config FILE > default, into a struct's fields.
// Owns: the options and where each value came from.   Used by: each main().
// Threads: caller serialises (main, before any thread).
// Fails: INVALID_ARGUMENT naming flag, variable or file line and what is allowed.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

namespace confab::process {

// One flag; what it accepts beyond its type is said by chaining:
//   loader.Add("io-threads", &config.io_threads, "threads (0 = one a core)").Range(0, 256);
class ConfigOption {
 public:
  // Where a value goes. A list is written a,b,c (in the file also as an array). A duration is
  // written 250ms, 10s, 5m, 1h.
  using Target = std::variant<std::string*, int*, int64_t*, bool*, double*, absl::Duration*,
                              std::vector<std::string>*>;

  // Bounds of a number, both allowed. For durations in the other overload.
  ConfigOption& Range(double low, double high);
  ConfigOption& Range(absl::Duration low, absl::Duration high);
  // The words a string (or each entry of a list) may be.
  ConfigOption& OneOf(std::vector<std::string> words);
  // `off` is accepted and means 0 (numbers and durations); it passes Range.
  ConfigOption& AllowOff();
  // A number of bytes: 64KiB, 1MiB and plain bytes are accepted.
  ConfigOption& Bytes();

 private:
  friend class ConfigLoader;
  ConfigOption(std::string flag, Target target, std::string help, std::string group);

  std::string Show(bool quoted) const;               // The present value as text.
  std::string Allowed() const;                       // "a whole number from 0 to 256".
  absl::Status Assign(std::string_view text) const;  // Message: what is allowed.

  std::string flag_;
  std::vector<Target> targets_;  // All of one type; more than one after a second Add.
  std::string help_;
  std::string group_;
  std::string default_text_;
  std::string origin_ = "default";
  double low_ = std::numeric_limits<double>::lowest();
  double high_ = std::numeric_limits<double>::max();
  bool has_range_ = false;
  bool allows_off_ = false;
  bool is_bytes_ = false;
  std::vector<std::string> words_;
};

class ConfigLoader {
 public:
  // `program` is the binary's name, `summary` the first lines of --help.
  ConfigLoader(std::string program, std::string summary);

  // The field's value at this moment is the default. A flag added twice (edge and control in one
  // process) is one flag that sets both fields; they must be of one type. The reference stays
  // valid.
  ConfigOption& Add(std::string_view flag, ConfigOption::Target target, std::string_view help,
                    std::string_view group = "");

  // Takes a flag out again: for a process that decides that value itself.
  void Drop(std::string_view flag);

  // Shown at the end of --help.
  void Example(std::string_view command, std::string_view what);

  // True: run. False: --help, --version or --print-config was answered on stdout; exit with 0.
  // After an error the fields are unspecified.
  absl::StatusOr<bool> Load(int argc, char** argv);

  // "--listen", "CONFAB_LISTEN", "confab.toml:3" or "default": for messages about a value that
  // turned out wrong later. "" if there is no such flag.
  std::string OriginOf(std::string_view flag) const;

  // Things to log that are no errors: CONFAB_… variables that look like a misspelt flag's.
  const std::vector<std::string>& warnings() const { return warnings_; }

  std::string HelpText() const;

 private:
  ConfigOption* Find(std::string_view flag);
  absl::Status Set(ConfigOption& option, std::string_view text, std::string origin);
  absl::Status LoadFile(const std::string& path);
  absl::Status LoadEnvironment();
  absl::Status LoadFlags(const std::vector<std::pair<std::string, std::string>>& flags);
  std::string Unknown(std::string_view what, std::string_view name) const;
  std::string PrintConfig() const;

  std::string program_;
  std::string summary_;
  std::deque<ConfigOption> options_;
  std::vector<std::pair<std::string, std::string>> examples_;
  std::vector<std::string> warnings_;
};

}  // namespace confab::process
