// log_line.h: one log entry as text for people or as JSON for machines; pure.
// Threads: immutable.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include <absl/time/time.h>

#include "process/log.h"

namespace confab::process {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

struct LogLine {
  absl::Time time;
  LogLevel level;
  std::string_view component;
  std::string_view msg;
  std::initializer_list<Field> fields;
};

// {"ts":"2026-11-21T08:00:00.123Z","level":"info","component":"edge","msg":"…","key":"value"}
std::string JsonLogLine(const LogLine& line);

// 2026-11-21T08:00:00.123Z info  edge: … key=value
std::string TextLogLine(const LogLine& line);

}  // namespace confab::process
