// json_text.h: JSON as the edge reads and writes it: a parser with a bound on depth that keeps its
// memory, and the few appenders that outgoing events are made of (no DOM on the way out).
// Owns: the parser its buffers.   Used by: socketio_codec, native_codec, dialect.
// Threads: JsonParser is confined to its io thread; the functions are pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>
#include <boost/json/value.hpp>
#include <google/protobuf/timestamp.pb.h>

namespace confab::edge {

// Deeper JSON is refused: nothing we know nests more than 3, and 32 keeps a recursive reader of
// any peer within a small stack.
inline constexpr size_t kJsonDepthLimit = 32;

// Parses one text at a time; meant to be one per io thread (about 10 KiB).
class JsonParser {
 public:
  JsonParser();
  JsonParser(const JsonParser&) = delete;
  JsonParser& operator=(const JsonParser&) = delete;
  ~JsonParser();

  // The value stays valid until the next Parse. An integer type means plain digits (with a sign);
  // "-0", "1.0" and "1e2" are doubles. INVALID_ARGUMENT: no JSON. OUT_OF_RANGE: JSON that we do not
  // read (nested too deep, an escape of half a surrogate pair, an exponent beyond all bounds).
  absl::StatusOr<const boost::json::value*> Parse(std::string_view text);

 private:
  class State;  // Buffers that are used again and again.

  std::unique_ptr<State> state_;
};

// True if no value of `text` nests deeper than kJsonDepthLimit. Looks at brackets outside strings
// only; says nothing on whether the text is JSON.
bool IsJsonDepthWithinLimit(std::string_view text);

// Appends `utf8` as a JSON string, quotes included. Everything but `"`, `\` and control characters
// passes untouched.
void AppendJsonString(std::string_view utf8, std::string& out);

// Appends decimal digits.
void AppendJsonNumber(int64_t number, std::string& out);

// Appends a quoted RFC 3339 time in UTC with milliseconds: "2026-11-21T07:35:00.123Z". Years
// outside 1-9999 are clamped to it.
void AppendJsonTime(int64_t unix_seconds, int32_t nanos, std::string& out);

// An RFC 3339 time. nullopt: it is none, or lies outside the years 1-9999.
std::optional<google::protobuf::Timestamp> ParseTime(std::string_view text);

}  // namespace confab::edge
