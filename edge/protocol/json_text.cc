#include "edge/protocol/json_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include <absl/status/status.h>
#include <absl/time/time.h>
#include <boost/json.hpp>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>

#include "process/eight_bytes.h"

namespace confab::edge {
namespace {

namespace json = boost::json;

json::parse_options ParseOptions() {
  json::parse_options options;
  options.max_depth = kJsonDepthLimit;
  return options;
}

// Builds the value. The library's own handler would do but for one thing: it takes "-0" for the
// integer 0.
struct ValueBuilder {
  // NOLINTBEGIN(readability-identifier-naming): the parser asks for these names.
  static constexpr size_t max_object_size = json::object::max_size();
  static constexpr size_t max_array_size = json::array::max_size();
  static constexpr size_t max_key_size = json::string::max_size();
  static constexpr size_t max_string_size = json::string::max_size();
  // NOLINTEND(readability-identifier-naming)

  ValueBuilder(json::storage_ptr storage, unsigned char* scratch, size_t scratch_bytes)
      : stack(std::move(storage), scratch, scratch_bytes) {}

  using Text = json::string_view;
  using Code = json::error_code;

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return true; }
  bool on_object_end(size_t count, Code&) { return stack.push_object(count), true; }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(size_t count, Code&) { return stack.push_array(count), true; }
  bool on_key_part(Text part, size_t, Code&) { return stack.push_chars(part), true; }
  bool on_key(Text rest, size_t, Code&) { return stack.push_key(rest), true; }
  bool on_string_part(Text part, size_t, Code&) { return stack.push_chars(part), true; }
  bool on_string(Text rest, size_t, Code&) { return stack.push_string(rest), true; }
  bool on_number_part(Text, Code&) { return true; }
  bool on_int64(int64_t number, Text digits, Code&) {
    if (number == 0 && digits.front() == '-') return stack.push_double(-0.0), true;
    return stack.push_int64(number), true;
  }
  bool on_uint64(uint64_t number, Text, Code&) { return stack.push_uint64(number), true; }
  bool on_double(double number, Text, Code&) { return stack.push_double(number), true; }
  bool on_bool(bool value, Code&) { return stack.push_bool(value), true; }
  bool on_null(Code&) { return stack.push_null(), true; }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }

  json::value_stack stack;
};

// True if `read` ends with \uD800 to \uDBFF: the parser calls what is wrong behind it mere syntax.
bool EndsInLeadingSurrogate(std::string_view read) {
  constexpr size_t kEscapeBytes = 6;
  if (read.size() < kEscapeBytes) return false;
  const std::string_view escape = read.substr(read.size() - kEscapeBytes);
  return escape.starts_with("\\u") && (escape[2] == 'd' || escape[2] == 'D') &&
         std::string_view("89abAB").find(escape[3]) != std::string_view::npos;
}

absl::Status StatusOf(const json::error_code& error, std::string_view read) {
  if (error == json::error::too_deep) {
    return absl::OutOfRangeError("JSON is nested deeper than " + std::to_string(kJsonDepthLimit));
  }
  const bool is_behind_surrogate =
      error == json::error::syntax &&
      (EndsInLeadingSurrogate(read) ||
       (read.ends_with('\\') && EndsInLeadingSurrogate(read.substr(0, read.size() - 1))));
  if (is_behind_surrogate || error == json::error::illegal_leading_surrogate ||
      error == json::error::illegal_trailing_surrogate) {
    return absl::OutOfRangeError("JSON holds an escape of half a surrogate pair, which is no text");
  }
  if (error == json::error::exponent_overflow) {
    return absl::OutOfRangeError("JSON holds a number whose exponent is too large");
  }
  return absl::InvalidArgumentError("not JSON: " + error.message());
}

// What must be escaped: 'u' asks for \u00XX, any other character stands behind the backslash.
constexpr std::array<char, 256> MakeEscapes() {
  std::array<char, 256> escapes{};
  for (size_t i = 0; i < 0x20; ++i) escapes[i] = 'u';
  escapes['\b'] = 'b';
  escapes['\f'] = 'f';
  escapes['\n'] = 'n';
  escapes['\r'] = 'r';
  escapes['\t'] = 't';
  escapes['"'] = '"';
  escapes['\\'] = '\\';
  return escapes;
}
constexpr std::array<char, 256> kEscapes = MakeEscapes();
constexpr std::string_view kHexDigits = "0123456789abcdef";

// Writes `digits` digits, leading zeros included, so that they end before `end`.
void WritePadded(uint64_t value, size_t digits, char* end) {
  for (; digits > 0; --digits, value /= 10) *--end = static_cast<char>('0' + value % 10);
}

// True if one of the eight must be escaped (control, quote, backslash).
bool NeedsEscape(const process::EightBytes& bytes) {
  return (bytes.Below(0x20) | bytes.Equal('"') | bytes.Equal('\\')) != 0;
}

struct CivilDate {
  int64_t year;
  uint64_t month;
  uint64_t day;
};

// Howard Hinnant's civil_from_days (days since 1970-01-01, proleptic Gregorian).
CivilDate CivilFromDays(int64_t days) {
  days += 719'468;
  const int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const uint64_t day_of_era = static_cast<uint64_t>(days - era * 146'097);
  const uint64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const uint64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const uint64_t shifted_month = (5 * day_of_year + 2) / 153;
  const uint64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  const int64_t year = static_cast<int64_t>(year_of_era) + era * 400 + (month <= 2 ? 1 : 0);
  return {year, month, day_of_year - (153 * shifted_month + 2) / 5 + 1};
}

}  // namespace

class JsonParser::State {
 public:
  State() : parser_(ParseOptions(), json::storage_ptr(), scratch_, sizeof(scratch_)) {}

  absl::StatusOr<const json::value*> Parse(std::string_view text) {
    json::value_stack& stack = parser_.handler().stack;
    value_.reset();
    stack.reset();  // Lets go of what a failed parse has left in the arena.
    // Not release(): in Boost 1.81 that keeps doubling the next block's size until none is had.
    memory_.emplace(arena_, sizeof(arena_));
    stack.reset(&*memory_);
    parser_.reset();
    json::error_code error;
    const size_t read = parser_.write_some(false, text.data(), text.size(), error);
    if (!error && read < text.size()) error = json::error::extra_data;
    if (error) return StatusOf(error, text.substr(0, read));
    return &value_.emplace(stack.release());
  }

 private:
  static constexpr size_t kArenaBytes = 6 * 1024;  // A message of 4 KiB needs no allocation.
  static constexpr size_t kScratchBytes = 2 * 1024;

  alignas(std::max_align_t) unsigned char arena_[kArenaBytes] = {};
  alignas(std::max_align_t) unsigned char scratch_[kScratchBytes] = {};
  std::optional<json::monotonic_resource> memory_;
  json::basic_parser<ValueBuilder> parser_;
  std::optional<json::value> value_;
};

JsonParser::JsonParser() : state_(std::make_unique<State>()) {}

JsonParser::~JsonParser() = default;

absl::StatusOr<const json::value*> JsonParser::Parse(std::string_view text) {
  return state_->Parse(text);
}

bool IsJsonDepthWithinLimit(std::string_view text) {
  size_t depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kJsonDepthLimit) return false;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return true;
}

void AppendJsonString(std::string_view utf8, std::string& out) {
  using process::EightBytes;
  constexpr size_t kEight = EightBytes::kSize;
  out.push_back('"');
  size_t clean_from = 0;
  for (size_t i = 0; i < utf8.size(); ++i) {
    while (utf8.size() - i >= kEight && !NeedsEscape(EightBytes(utf8.data() + i))) i += kEight;
    if (i == utf8.size()) break;
    const auto byte = static_cast<unsigned char>(utf8[i]);
    const char escape = kEscapes[byte];
    if (escape == 0) continue;
    out.append(utf8, clean_from, i - clean_from);
    clean_from = i + 1;
    out.push_back('\\');
    out.push_back(escape);
    if (escape == 'u') {
      out.append("00");
      out.push_back(kHexDigits[byte >> 4]);
      out.push_back(kHexDigits[byte & 0xf]);
    }
  }
  out.append(utf8, clean_from, utf8.size() - clean_from);
  out.push_back('"');
}

void AppendJsonNumber(int64_t number, std::string& out) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
  out.append(digits, end);
}

namespace {

constexpr int64_t kYearOne = -62'135'596'800;
constexpr int64_t kYear9999End = 253'402'300'799;

}  // namespace

void AppendJsonTime(int64_t unix_seconds, int32_t nanos, std::string& out) {
  constexpr int64_t kDay = 86'400;
  const int64_t seconds = std::clamp(unix_seconds, kYearOne, kYear9999End);
  const int64_t milliseconds = std::clamp(nanos / 1'000'000, 0, 999);
  const int64_t days = (seconds >= 0 ? seconds : seconds - (kDay - 1)) / kDay;
  const auto second_of_day = static_cast<uint64_t>(seconds - days * kDay);
  const CivilDate date = CivilFromDays(days);
  char text[] = "\"0000-00-00T00:00:00.000Z\"";
  WritePadded(static_cast<uint64_t>(date.year), 4, text + 5);
  WritePadded(date.month, 2, text + 8);
  WritePadded(date.day, 2, text + 11);
  WritePadded(second_of_day / 3'600, 2, text + 14);
  WritePadded(second_of_day / 60 % 60, 2, text + 17);
  WritePadded(second_of_day % 60, 2, text + 20);
  WritePadded(static_cast<uint64_t>(milliseconds), 3, text + 24);
  out.append(text, sizeof(text) - 1);
}

std::optional<google::protobuf::Timestamp> ParseTime(std::string_view text) {
  absl::Time parsed;
  std::string why;
  if (!absl::ParseTime(absl::RFC3339_full, std::string(text), &parsed, &why)) return std::nullopt;
  const int64_t seconds = absl::ToUnixSeconds(parsed);
  if (seconds < kYearOne || seconds > kYear9999End) return std::nullopt;
  google::protobuf::Timestamp time;
  time.set_seconds(seconds);
  time.set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(parsed - absl::FromUnixSeconds(seconds))));
  return time;
}

}  // namespace confab::edge
