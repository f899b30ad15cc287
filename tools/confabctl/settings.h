// settings.h: how control is reached: by flags, by a named context of a file, by the environment.
// Owns: what the command line said of it.   Used by: Run, context list.
// Threads: caller serialises.
// Fails: INVALID_ARGUMENT naming the file, its line or the context, and what there is.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "tools/confabctl/command_line.h"

namespace confab::ctl {

// One [contexts.NAME] of the file: values by the names of their flags, paths made whole.
struct Context {
  std::string name;
  std::map<std::string, std::string> values;

  const std::string& Get(const std::string& flag) const;  // Empty: not set.
};

class Settings {
 public:
  // Declares the flags; `run` and `app` outlive this.
  Settings(CLI::App& app, Invocation& run);

  // After parsing. A flag goes first. Then, where a context is named, that context and nothing
  // else, so that no token of the environment is shown to another control; without one the
  // environment. Then the default.
  absl::Status Resolve();

  // All contexts of the file in order of their names; none if there is no file and none was named.
  absl::StatusOr<std::vector<Context>> ReadContexts() const;

  std::string FilePath() const;

 private:
  absl::StatusOr<Context> FindContext() const;

  CLI::App& app_;
  Invocation& run_;
  std::string file_;
};

}  // namespace confab::ctl
