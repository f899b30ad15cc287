#include "edge/protocol/json_member.h"

namespace confab::edge {

namespace {

constexpr std::string_view kSpace = " \t\n\r";

void SkipSpace(std::string_view& text) {
  const std::size_t begin = text.find_first_not_of(kSpace);
  text.remove_prefix(begin == std::string_view::npos ? text.size() : begin);
}

// Behind the closing quote of the string that the text begins with.
std::size_t EndOfString(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return text.size();
}

// Behind the value that the text begins with.
std::size_t EndOfValue(std::string_view text) {
  if (text.empty()) return 0;
  if (text.front() == '"') return EndOfString(text);
  if (text.front() != '{' && text.front() != '[') {
    const std::size_t end = text.find_first_of(",]} \t\n\r");
    return end == std::string_view::npos ? text.size() : end;
  }
  std::size_t depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      i += EndOfString(text.substr(i)) - 1;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return i + 1;
    }
  }
  return text.size();
}

std::string_view Cut(std::string_view& text, std::size_t size) {
  const std::string_view cut = text.substr(0, size);
  text.remove_prefix(cut.size());
  SkipSpace(text);
  return cut;
}

// True: another element or member follows.
bool TakeComma(std::string_view& text) {
  if (text.empty() || text.front() != ',') return false;
  Cut(text, 1);
  return true;
}

// The first bracket. False: the text does not begin with it.
bool Open(std::string_view& text, char bracket) {
  SkipSpace(text);
  if (text.empty() || text.front() != bracket) return false;
  Cut(text, 1);
  return true;
}

}  // namespace

std::optional<std::string_view> FindJsonElement(std::string_view text, std::size_t index) {
  if (!Open(text, '[') || text.starts_with(']')) return std::nullopt;
  do {
    const std::string_view value = Cut(text, EndOfValue(text));
    if (index-- == 0) return value;
  } while (TakeComma(text));
  return std::nullopt;
}

std::optional<std::string_view> FindJsonMember(std::string_view text, std::string_view name) {
  std::optional<std::string_view> found;
  if (!Open(text, '{') || text.starts_with('}')) return found;
  do {
    const std::string_view key = Cut(text, EndOfValue(text));
    Cut(text, 1);  // The colon.
    const std::string_view value = Cut(text, EndOfValue(text));
    if (key.size() == name.size() + 2 && key.substr(1, name.size()) == name) found = value;
  } while (TakeComma(text));
  return found;
}

}  // namespace confab::edge
