#include "control/room/json_check.h"

#include <cstdint>
#include <optional>

#include "storage/record_check.h"

namespace confab::control {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool TakeWhole() {
    TakeSpace();
    if (!TakeValue(0)) return false;
    TakeSpace();
    return rest_.empty();
  }

 private:
  bool Take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool Take(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  void TakeSpace() {
    const size_t end = rest_.find_first_not_of(" \t\n\r");
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end);
  }

  bool TakeValue(size_t depth) {
    if (rest_.empty()) return false;
    switch (rest_.front()) {
      case '{':
        return depth < kBodyDepthLimit && TakeObject(depth + 1);
      case '[':
        return depth < kBodyDepthLimit && TakeArray(depth + 1);
      case '"':
        return TakeString();
      case 't':
        return Take("true");
      case 'f':
        return Take("false");
      case 'n':
        return Take("null");
      default:
        return TakeNumber();
    }
  }

  bool TakeObject(size_t depth) {
    Take('{');
    TakeSpace();
    if (Take('}')) return true;
    while (true) {
      TakeSpace();
      if (!TakeString()) return false;
      TakeSpace();
      if (!Take(':')) return false;
      TakeSpace();
      if (!TakeValue(depth)) return false;
      TakeSpace();
      if (Take('}')) return true;
      if (!Take(',')) return false;
    }
  }

  bool TakeArray(size_t depth) {
    Take('[');
    TakeSpace();
    if (Take(']')) return true;
    while (true) {
      TakeSpace();
      if (!TakeValue(depth)) return false;
      TakeSpace();
      if (Take(']')) return true;
      if (!Take(',')) return false;
    }
  }

  bool TakeString() {
    if (!Take('"')) return false;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return true;
      if (static_cast<uint8_t>(c) < 0x20) return false;
      if (c == '\\' && !TakeEscape()) return false;
    }
    return false;
  }

  // Behind the backslash.
  bool TakeEscape() {
    if (rest_.empty()) return false;
    const char c = rest_.front();
    rest_.remove_prefix(1);
    if (c != 'u') return std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos;
    const std::optional<uint32_t> unit = TakeHex();
    if (!unit) return false;
    if (*unit >= 0xDC00 && *unit <= 0xDFFF) return false;
    if (*unit < 0xD800 || *unit > 0xDBFF) return true;
    if (!Take("\\u")) return false;
    const std::optional<uint32_t> low = TakeHex();
    return low && *low >= 0xDC00 && *low <= 0xDFFF;
  }

  std::optional<uint32_t> TakeHex() {
    if (rest_.size() < 4) return std::nullopt;
    uint32_t unit = 0;
    for (size_t i = 0; i < 4; ++i) {
      const char c = rest_[i];
      const char lower = static_cast<char>(c | 0x20);
      if (IsDigit(c)) {
        unit = unit * 16 + static_cast<uint32_t>(c - '0');
      } else if (lower >= 'a' && lower <= 'f') {
        unit = unit * 16 + static_cast<uint32_t>(lower - 'a') + 10;
      } else {
        return std::nullopt;
      }
    }
    rest_.remove_prefix(4);
    return unit;
  }

  bool TakeDigits() {
    size_t count = 0;
    while (count < rest_.size() && IsDigit(rest_[count])) ++count;
    rest_.remove_prefix(count);
    return count > 0;
  }

  bool TakeNumber() {
    Take('-');
    if (!Take('0') && !TakeDigits()) return false;
    if (Take('.') && !TakeDigits()) return false;
    if (!Take('e') && !Take('E')) return true;
    if (!Take('+')) Take('-');
    return TakeDigits();
  }

  std::string_view rest_;
};

}  // namespace

bool IsJson(std::string_view text) {
  return storage::IsStorableText(text) && Scanner(text).TakeWhole();
}

}  // namespace confab::control
