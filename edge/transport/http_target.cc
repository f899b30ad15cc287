#include "edge/transport/http_target.h"

#include <optional>

namespace confab::edge {

namespace {

std::optional<int> HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

std::string Decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
      continue;
    }
    if (text[i] == '%' && i + 2 < text.size()) {
      const std::optional<int> high = HexDigit(text[i + 1]);
      const std::optional<int> low = HexDigit(text[i + 2]);
      if (high && low) {
        out += static_cast<char>(*high * 16 + *low);
        i += 2;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

}  // namespace

std::string_view HttpTarget::Get(std::string_view key) const {
  for (auto it = query.rbegin(); it != query.rend(); ++it) {
    if (it->first == key) return it->second;
  }
  return {};
}

bool HttpTarget::Has(std::string_view key) const {
  for (const auto& [name, value] : query) {
    if (name == key) return true;
  }
  return false;
}

HttpTarget ParseHttpTarget(std::string_view target) {
  HttpTarget out;
  const std::size_t mark = target.find('?');
  out.path = target.substr(0, mark);
  if (mark == std::string_view::npos) return out;
  std::string_view rest = target.substr(mark + 1);
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, rest.find('&'));
    rest.remove_prefix(part.size() < rest.size() ? part.size() + 1 : part.size());
    if (part.empty()) continue;
    const std::size_t equals = part.find('=');
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1);
    out.query.emplace_back(Decode(part.substr(0, equals)), Decode(value));
  }
  return out;
}

}  // namespace confab::edge
