#include "process/log_line.h"

#include <cstddef>
#include <cstdint>
#include <iterator>

#include <fmt/format.h>

namespace confab::process {
namespace {

// Longer values are cut: they come from clients or from drivers and tell nothing more.
constexpr size_t kValueBytesLimit = 1024;

// Bytes of the UTF-8 sequence at the head of `text`, 0 if it is none.
size_t SequenceLength(std::string_view text) {
  const auto at = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = at(0);
  const size_t length = lead < 0x80                    ? 1
                        : lead >= 0xC2 && lead <= 0xDF ? 2
                        : (lead & 0xF0) == 0xE0        ? 3
                        : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                       : 0;
  if (length == 0 || length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xC0) != 0x80) return 0;
  }
  const bool is_overlong = (lead == 0xE0 && at(1) < 0xA0) || (lead == 0xF0 && at(1) < 0x90);
  const bool is_beyond = (lead == 0xED && at(1) > 0x9F) || (lead == 0xF4 && at(1) > 0x8F);
  return is_overlong || is_beyond ? 0 : length;
}

// As a JSON string without its quotes; also safe on a terminal (no control characters, C1 too).
void AppendEscaped(std::string& out, std::string_view text) {
  const bool is_cut = text.size() > kValueBytesLimit;
  text = text.substr(0, kValueBytesLimit);
  while (!text.empty()) {
    const size_t length = SequenceLength(text);
    const auto lead = static_cast<uint8_t>(text[0]);
    if (length == 0) {
      out += "\\ufffd";
    } else if (text[0] == '"' || text[0] == '\\') {
      out += {'\\', text[0]};
    } else if (text[0] == '\n') {
      out += "\\n";
    } else if (lead < 0x20 || lead == 0x7F) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", lead);
    } else if (lead == 0xC2 && static_cast<uint8_t>(text[1]) < 0xA0) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<uint8_t>(text[1]));
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  if (is_cut) out += "...";
}

std::string Quoted(std::string_view text) {
  std::string out = "\"";
  AppendEscaped(out, text);
  out += '"';
  return out;
}

std::string_view NameOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarn:
      return "warn";
    case LogLevel::kError:
      return "error";
  }
  return "";
}

std::string Timestamp(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d%ET%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

}  // namespace

std::string JsonLogLine(const LogLine& line) {
  std::string out =
      fmt::format(R"({{"ts":"{}","level":"{}","component":{},"msg":{})", Timestamp(line.time),
                  NameOf(line.level), Quoted(line.component), Quoted(line.msg));
  for (const Field& field : line.fields) {
    // JSON has no NaN and no infinity.
    const bool is_bare = !field.is_text && field.value.find('n') == std::string::npos;
    out += fmt::format(",{}:{}", Quoted(field.key), is_bare ? field.value : Quoted(field.value));
  }
  return out + "}";
}

std::string TextLogLine(const LogLine& line) {
  std::string out =
      fmt::format("{} {:<5} {}: ", Timestamp(line.time), NameOf(line.level), line.component);
  AppendEscaped(out, line.msg);
  for (const Field& field : line.fields) {
    const bool is_plain =
        !field.value.empty() && field.value.find_first_of(" \"=\\") == std::string::npos;
    out += fmt::format(" {}=", field.key);
    if (is_plain) {
      AppendEscaped(out, field.value);
    } else {
      out += Quoted(field.value);
    }
  }
  return out;
}

}  // namespace confab::process
