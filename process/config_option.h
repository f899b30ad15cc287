// config_option.h: one flag: its text form, its bounds and the fields it sets.
// Owns: nothing; the fields must outlive it.   Used by: config_loader.
// Threads: caller serialises.
// Fails: INVALID_ARGUMENT saying what is allowed.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <absl/status/status.h>
#include <absl/time/time.h>

namespace confab::process {

// What a flag accepts beyond its type is said by chaining:
//   loader.Add("io-threads", &config.io_threads, "threads (0 = one a core)").Range(0, 256);
class ConfigOption {
 public:
  // Where a value goes. A list is written a,b,c (in the file also as an array). A duration is
  // written 250ms, 10s, 5m, 1h and is never negative nor infinite.
  using Target = std::variant<std::string*, int*, int64_t*, bool*, double*, absl::Duration*,
                              std::vector<std::string>*>;

  ConfigOption(std::string flag, Target target, std::string help, std::string group);

  // Bounds of a number or a duration, both allowed.
  ConfigOption& Range(double low, double high);
  ConfigOption& Range(absl::Duration low, absl::Duration high);
  // The words a string (or each entry of a list) may be.
  ConfigOption& OneOf(std::vector<std::string> words);
  // `off` is accepted and means 0 (numbers and durations), whatever the range.
  ConfigOption& AllowOff();
  // `off` is refused with that reason: what would go on without end or measure.
  ConfigOption& NeverOff(std::string why);
  // A number of bytes: 64KiB, 1MiB, 1GiB and plain bytes are accepted.
  ConfigOption& Bytes();
  // A new value holds after HUP; that of other options needs a restart.
  ConfigOption& Reloads();
  // What stands for the value in --help: HOST:PORT. Default: by type.
  ConfigOption& Placeholder(std::string text);

  // Sets every target, or none.
  absl::Status Assign(std::string_view text, std::string origin);

  // A second field for the same flag. REQUIRES: the type of the first.
  void AddTarget(Target target);

  const std::string& flag() const { return flag_; }
  const std::string& help() const { return help_; }
  const std::string& group() const { return group_; }
  const std::string& origin() const { return origin_; }  // "default" until assigned.
  const std::string& placeholder() const { return placeholder_; }
  bool reloads() const { return reloads_; }
  bool is_bool() const { return std::holds_alternative<bool*>(targets_.front()); }
  bool is_list() const;

  // "CONFAB_OPS_LISTEN"
  std::string EnvironmentName() const;
  // The present value as a flag's text, and as a TOML value.
  std::string Show() const;
  std::string ShowToml() const;
  // "a whole number from 0 to 256, or off"
  std::string Allowed() const;

 private:
  bool Read(std::string_view text, std::string& value) const;
  bool Read(std::string_view text, std::vector<std::string>& value) const;
  bool Read(std::string_view text, bool& value) const;
  bool Read(std::string_view text, absl::Duration& value) const;
  bool Read(std::string_view text, int64_t& value) const;
  bool Read(std::string_view text, int& value) const;
  bool Read(std::string_view text, double& value) const;
  bool IsInRange(double value) const { return value >= low_ && value <= high_; }
  bool IsWord(std::string_view text) const;

  std::string flag_;
  std::vector<Target> targets_;  // All of one type.
  std::string help_;
  std::string group_;
  std::string origin_ = "default";
  std::string placeholder_;
  double low_ = std::numeric_limits<double>::lowest();  // Of a duration: seconds.
  double high_ = std::numeric_limits<double>::max();
  bool has_range_ = false;
  bool allows_off_ = false;
  std::string never_off_;  // Why; empty: `off` is one wrong value of many.
  bool is_bytes_ = false;
  bool reloads_ = false;
  std::vector<std::string> words_;
};

}  // namespace confab::process
