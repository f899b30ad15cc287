#include "edge/protocol/json_text.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <absl/status/status.h>

namespace confab::edge {
namespace {

namespace json = boost::json;

json::parse_options ParseOptions() {
  json::parse_options options;
  options.max_depth = kJsonDepthLimit;
  return options;
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

void AppendPadded(uint64_t value, size_t digits, std::string& out) {
  out.append(digits, '0');
  for (size_t i = out.size(); digits > 0; --digits, value /= 10) {
    out[--i] = static_cast<char>('0' + value % 10);
  }
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

JsonParser::JsonParser()
    : memory_(arena_, sizeof(arena_)),
      parser_(json::storage_ptr(), ParseOptions(), scratch_, sizeof(scratch_)) {}

JsonParser::~JsonParser() = default;

absl::StatusOr<const json::value*> JsonParser::Parse(std::string_view text) {
  value_.reset();
  parser_.reset(json::storage_ptr());  // Lets go of what a failed parse has left in the arena.
  memory_.release();
  parser_.reset(&memory_);
  json::error_code error;
  parser_.write(text.data(), text.size(), error);
  if (!error) {
    value_.emplace(parser_.release());
    return &*value_;
  }
  if (error == json::error::too_deep) {
    return absl::OutOfRangeError("JSON is nested deeper than " + std::to_string(kJsonDepthLimit));
  }
  if (error == json::error::illegal_leading_surrogate ||
      error == json::error::illegal_trailing_surrogate ||
      error == json::error::expected_utf16_escape) {
    return absl::OutOfRangeError("JSON holds an escape of half a surrogate pair, which is no text");
  }
  if (error == json::error::exponent_overflow) {
    return absl::OutOfRangeError("JSON holds a number whose exponent is too large");
  }
  return absl::InvalidArgumentError("not JSON: " + error.message());
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
  out.push_back('"');
  size_t clean_from = 0;
  for (size_t i = 0; i < utf8.size(); ++i) {
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

void AppendJsonTime(int64_t unix_seconds, int32_t nanos, std::string& out) {
  constexpr int64_t kYearOne = -62'135'596'800;
  constexpr int64_t kYear9999End = 253'402'300'799;
  constexpr int64_t kDay = 86'400;
  const int64_t seconds = std::clamp(unix_seconds, kYearOne, kYear9999End);
  const int64_t milliseconds = std::clamp(nanos / 1'000'000, 0, 999);
  const int64_t days = (seconds >= 0 ? seconds : seconds - (kDay - 1)) / kDay;
  const auto second_of_day = static_cast<uint64_t>(seconds - days * kDay);
  const CivilDate date = CivilFromDays(days);
  out.push_back('"');
  AppendPadded(static_cast<uint64_t>(date.year), 4, out);
  out.push_back('-');
  AppendPadded(date.month, 2, out);
  out.push_back('-');
  AppendPadded(date.day, 2, out);
  out.push_back('T');
  AppendPadded(second_of_day / 3'600, 2, out);
  out.push_back(':');
  AppendPadded(second_of_day / 60 % 60, 2, out);
  out.push_back(':');
  AppendPadded(second_of_day % 60, 2, out);
  out.push_back('.');
  AppendPadded(static_cast<uint64_t>(milliseconds), 3, out);
  out.append("Z\"");
}

}  // namespace confab::edge
