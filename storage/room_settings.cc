#include "storage/room_settings.h"

#include <charconv>
#include <utility>

namespace confab::storage {
namespace {

const char* WordOf(bool value) { return value ? "1" : "0"; }

bool ReadNumber(const std::string& text, int32_t& out) {
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, out);
  return error == std::errc() && rest == end && out >= 0;
}

}  // namespace

std::string EncodeSettings(const RoomSettings& settings) {
  return EncodeTextMap({{"topic", settings.topic},
                        {"public", WordOf(settings.is_public)},
                        {"archived", WordOf(settings.is_archived)},
                        {"read_only", WordOf(settings.is_read_only)},
                        {"slow_mode_s", std::to_string(settings.slow_mode_seconds)},
                        {"metadata", EncodeTextMap(settings.metadata)}});
}

std::optional<RoomSettings> DecodeSettings(std::string_view text) {
  std::optional<TextMap> fields = DecodeTextMap(text);
  if (!fields) return std::nullopt;
  RoomSettings settings;
  settings.topic = std::move((*fields)["topic"]);
  settings.is_public = (*fields)["public"] == "1";
  settings.is_archived = (*fields)["archived"] == "1";
  settings.is_read_only = (*fields)["read_only"] == "1";
  if (!ReadNumber((*fields)["slow_mode_s"], settings.slow_mode_seconds)) return std::nullopt;
  std::optional<TextMap> metadata = DecodeTextMap((*fields)["metadata"]);
  if (!metadata) return std::nullopt;
  settings.metadata = *std::move(metadata);
  return settings;
}

}  // namespace confab::storage
