#include "storage/text_map.h"

#include <utility>

namespace confab::storage {
namespace {

void Escape(std::string_view text, std::string& out) {
  for (const char c : text) {
    if (c == '\\' || c == '=' || c == '\n') out.push_back('\\');
    out.push_back(c == '\n' ? 'n' : c);
  }
}

// Up to `end`, which is passed over. False: it does not come.
bool Unescape(std::string_view& text, char end, std::string& out) {
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == end) {
      text.remove_prefix(i + 1);
      return true;
    }
    if (c == '=' || c == '\n') return false;
    if (c == '\\') {
      if (++i == text.size()) return false;
      c = text[i] == 'n' ? '\n' : text[i];
    }
    out.push_back(c);
  }
  return false;
}

}  // namespace

std::string EncodeTextMap(const TextMap& map) {
  std::string out;
  for (const auto& [name, text] : map) {
    Escape(name, out);
    out.push_back('=');
    Escape(text, out);
    out.push_back('\n');
  }
  return out;
}

std::optional<TextMap> DecodeTextMap(std::string_view text) {
  TextMap map;
  while (!text.empty()) {
    std::pair<std::string, std::string> entry;
    if (!Unescape(text, '=', entry.first) || !Unescape(text, '\n', entry.second)) {
      return std::nullopt;
    }
    map.insert(std::move(entry));
  }
  return map;
}

}  // namespace confab::storage
