// log.h: structured log on stderr: text on a terminal, one JSON object a line otherwise.
// Threads: any thread. Never waits for a slow reader of stderr: beyond kQueueLimit lines the
// oldest waiting line is dropped. Values are escaped and cut at 1 KiB, so that what a client sent
// cannot forge a line.
#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace confab::process {

// A key and its value. Keys are snake_case and not ts, level, msg or component.
struct Field {
  Field(std::string_view k, std::string v) : key(k), value(std::move(v)) {}
  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(v) {}
  Field(std::string_view k, bool v) : key(k), value(v ? "true" : "false"), is_text(false) {}
  template <typename Number>
  requires(std::integral<Number> || std::floating_point<Number>) Field(std::string_view k, Number v)
      : key(k), value(std::to_string(v)), is_text(false) {}

  std::string_view key;
  std::string value;
  bool is_text = true;  // False: stands unquoted in JSON.
};

// Once, in main. `level` is debug, info, warn or error (anything else reads as info). Before it,
// warnings and errors go to stderr at once.
void InitLog(std::string_view component, std::string_view level);

// Cheap question before building costly fields.
bool IsDebugLogged();

void LogDebug(std::string_view msg, std::initializer_list<Field> fields = {});
void LogInfo(std::string_view msg, std::initializer_list<Field> fields = {});
void LogWarn(std::string_view msg, std::initializer_list<Field> fields = {});
void LogError(std::string_view msg, std::initializer_list<Field> fields = {});

// Writes what is waiting; later lines are written at once. For the end of main and before _exit.
void FlushLog();

}  // namespace confab::process
