#include "process/config_option.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cmath>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>

#include <absl/strings/ascii.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>
#include <fmt/format.h>

namespace confab::process {
namespace {

template <typename Number>
std::optional<Number> ParseNumber(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

constexpr std::pair<std::string_view, int64_t> kUnits[] = {
    {"GiB", int64_t{1} << 30}, {"MiB", int64_t{1} << 20}, {"KiB", int64_t{1} << 10}};

std::optional<int64_t> ParseInteger(std::string_view text, bool is_bytes) {
  int64_t unit = 1;
  for (const auto& [name, factor] : kUnits) {
    if (!is_bytes || !text.ends_with(name)) continue;
    text.remove_suffix(name.size());
    unit = factor;
    break;
  }
  const std::optional<int64_t> number = ParseNumber<int64_t>(text);
  int64_t product = 0;
  if (!number || __builtin_mul_overflow(*number, unit, &product)) return std::nullopt;
  return product;
}

std::string ShowInteger(int64_t value, bool is_bytes) {
  for (const auto& [name, factor] : kUnits) {
    if (is_bytes && value != 0 && value % factor == 0) {
      return fmt::format("{}{}", value / factor, name);
    }
  }
  return fmt::format("{}", value);
}

std::optional<bool> ParseBool(std::string_view text) {
  for (const std::string_view word : {"true", "yes", "on", "1"}) {
    if (text == word) return true;
  }
  for (const std::string_view word : {"false", "no", "off", "0"}) {
    if (text == word) return false;
  }
  return std::nullopt;
}

std::vector<std::string> ParseList(std::string_view text) {
  std::vector<std::string> entries;
  for (const auto part : absl::StrSplit(absl::string_view(text.data(), text.size()), ',')) {
    const auto entry = absl::StripAsciiWhitespace(part);
    if (!entry.empty()) entries.emplace_back(entry);
  }
  return entries;
}

std::string TomlQuoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

template <typename T>
constexpr bool kIsText = std::is_same_v<T, std::string>;
template <typename T>
constexpr bool kIsList = std::is_same_v<T, std::vector<std::string>>;
template <typename T>
constexpr bool kIsDuration = std::is_same_v<T, absl::Duration>;
template <typename T>
constexpr bool kIsInteger = std::is_same_v<T, int> || std::is_same_v<T, int64_t>;

std::string DefaultPlaceholder(const ConfigOption::Target& target) {
  return std::visit(
      [](auto* field) -> std::string {
        using T = std::remove_pointer_t<decltype(field)>;
        if constexpr (std::is_same_v<T, bool>) return "";
        if constexpr (kIsList<T>) return "A,B,...";
        if constexpr (kIsDuration<T>) return "TIME";
        if constexpr (kIsText<T>) return "TEXT";
        return "N";
      },
      target);
}

}  // namespace

ConfigOption::ConfigOption(std::string flag, Target target, std::string help, std::string group)
    : flag_(std::move(flag)),
      targets_{target},
      help_(std::move(help)),
      group_(std::move(group)),
      placeholder_(DefaultPlaceholder(target)) {}

ConfigOption& ConfigOption::Range(double low, double high) {
  low_ = low;
  high_ = high;
  has_range_ = true;
  return *this;
}

ConfigOption& ConfigOption::Range(absl::Duration low, absl::Duration high) {
  return Range(absl::ToDoubleSeconds(low), absl::ToDoubleSeconds(high));
}

ConfigOption& ConfigOption::OneOf(std::vector<std::string> words) {
  words_ = std::move(words);
  placeholder_ = absl::StrJoin(words_, "|");
  return *this;
}

ConfigOption& ConfigOption::AllowOff() {
  allows_off_ = true;
  return *this;
}

ConfigOption& ConfigOption::NeverOff(std::string why) {
  never_off_ = std::move(why);
  return *this;
}

ConfigOption& ConfigOption::Bytes() {
  is_bytes_ = true;
  placeholder_ = "BYTES";
  return *this;
}

ConfigOption& ConfigOption::Reloads() {
  reloads_ = true;
  return *this;
}

ConfigOption& ConfigOption::Placeholder(std::string text) {
  placeholder_ = std::move(text);
  return *this;
}

bool ConfigOption::is_list() const {
  return std::holds_alternative<std::vector<std::string>*>(targets_.front());
}

void ConfigOption::AddTarget(Target target) {
  assert(target.index() == targets_.front().index());
  targets_.push_back(target);
}

std::string ConfigOption::EnvironmentName() const {
  std::string name = "CONFAB_" + absl::AsciiStrToUpper(flag_);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

bool ConfigOption::IsWord(std::string_view text) const {
  return words_.empty() || std::find(words_.begin(), words_.end(), text) != words_.end();
}

bool ConfigOption::Read(std::string_view text, std::string& value) const {
  value = std::string(text);
  return IsWord(text) && text.find('\0') == std::string_view::npos;
}

bool ConfigOption::Read(std::string_view text, std::vector<std::string>& value) const {
  value = ParseList(text);
  return std::all_of(value.begin(), value.end(),
                     [this](const std::string& entry) { return IsWord(entry); });
}

bool ConfigOption::Read(std::string_view text, bool& value) const {
  const std::optional<bool> read = ParseBool(text);
  value = read.value_or(false);
  return read.has_value();
}

bool ConfigOption::Read(std::string_view text, absl::Duration& value) const {
  if (allows_off_ && text == "off") return true;
  return absl::ParseDuration(absl::string_view(text.data(), text.size()), &value) &&
         value >= absl::ZeroDuration() && value != absl::InfiniteDuration() &&
         IsInRange(absl::ToDoubleSeconds(value));
}

bool ConfigOption::Read(std::string_view text, int64_t& value) const {
  if (allows_off_ && text == "off") return true;
  const std::optional<int64_t> read = ParseInteger(text, is_bytes_);
  value = read.value_or(0);
  return read && IsInRange(static_cast<double>(value));
}

bool ConfigOption::Read(std::string_view text, int& value) const {
  int64_t wide = 0;
  if (!Read(text, wide) || !std::in_range<int>(wide)) return false;
  value = static_cast<int>(wide);
  return true;
}

bool ConfigOption::Read(std::string_view text, double& value) const {
  if (allows_off_ && text == "off") return true;
  const std::optional<double> read = ParseNumber<double>(text);
  value = read.value_or(0);
  return read && std::isfinite(value) && IsInRange(value);
}

absl::Status ConfigOption::Assign(std::string_view text, std::string origin) {
  if (text == "off" && !never_off_.empty()) {
    return absl::InvalidArgumentError(
        fmt::format("it cannot be off: {}; it is {}", never_off_, Allowed()));
  }
  for (const Target& target : targets_) {
    const bool is_allowed = std::visit(
        [&](auto* field) {
          std::remove_pointer_t<decltype(field)> value{};
          if (!Read(text, value)) return false;
          *field = std::move(value);
          return true;
        },
        target);
    if (!is_allowed) {
      return absl::InvalidArgumentError(
          fmt::format("\"{}\" is not {}", text.substr(0, 200), Allowed()));
    }
  }
  origin_ = std::move(origin);
  return absl::OkStatus();
}

std::string ConfigOption::Show() const {
  return std::visit(
      [this](auto* field) -> std::string {
        using T = std::remove_pointer_t<decltype(field)>;
        if constexpr (kIsText<T>) {
          return *field;
        } else if constexpr (kIsList<T>) {
          return absl::StrJoin(*field, ",");
        } else if constexpr (std::is_same_v<T, bool>) {
          return *field ? "true" : "false";
        } else if constexpr (kIsDuration<T>) {
          if (allows_off_ && *field == absl::ZeroDuration()) return "off";
          return absl::FormatDuration(*field);
        } else {
          if (allows_off_ && *field == T{0}) return "off";
          if constexpr (kIsInteger<T>) return ShowInteger(*field, is_bytes_);
          return fmt::format("{}", *field);
        }
      },
      targets_.front());
}

std::string ConfigOption::ShowToml() const {
  if (is_list()) {
    const auto& entries = *std::get<std::vector<std::string>*>(targets_.front());
    return "[" +
           absl::StrJoin(entries, ", ",
                         [](std::string* out, const std::string& s) { *out += TomlQuoted(s); }) +
           "]";
  }
  const std::string text = Show();
  const bool is_bare = is_bool() || (!std::holds_alternative<std::string*>(targets_.front()) &&
                                     ParseNumber<double>(text).has_value());
  return is_bare ? text : TomlQuoted(text);
}

std::string ConfigOption::Allowed() const {
  const bool is_duration = std::holds_alternative<absl::Duration*>(targets_.front());
  std::string allowed = std::visit(
      [this](auto* field) -> std::string {
        using T = std::remove_pointer_t<decltype(field)>;
        if constexpr (std::is_same_v<T, bool>) return "true or false";
        if constexpr (kIsDuration<T>) return "a time such as 250ms, 10s or 1h";
        if constexpr (kIsText<T>) return words_.empty() ? "text without NUL" : "one of ";
        if constexpr (kIsList<T>) return words_.empty() ? "a list a,b,c" : "a list of ";
        if constexpr (kIsInteger<T>) {
          return is_bytes_ ? "a number of bytes such as 65536, 64KiB or 1MiB" : "a whole number";
        }
        return "a number";
      },
      targets_.front());
  allowed += absl::StrJoin(words_, ", ");
  if (has_range_ && is_duration) {
    allowed += fmt::format(" from {} to {}", absl::FormatDuration(absl::Seconds(low_)),
                           absl::FormatDuration(absl::Seconds(high_)));
  } else if (has_range_ && is_bytes_) {
    allowed += fmt::format(" from {} to {}", ShowInteger(static_cast<int64_t>(low_), true),
                           ShowInteger(static_cast<int64_t>(high_), true));
  } else if (has_range_) {
    allowed += fmt::format(" from {} to {}", low_, high_);
  }
  if (allows_off_) allowed += ", or off";
  return allowed;
}

}  // namespace confab::process
