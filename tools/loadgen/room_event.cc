#include "tools/loadgen/room_event.h"

#include <charconv>
#include <cstddef>

namespace confab::loadgen {
namespace {

class JsonCursor {
 public:
  explicit JsonCursor(std::string_view text) : rest_(text) {}

  bool Take(char c) {
    SkipSpace();
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // Without its quotes.
  bool TakeString(std::string_view& text) {
    if (!Take('"')) return false;
    size_t end = rest_.find('"');
    while (end != std::string_view::npos && IsEscaped(end)) end = rest_.find('"', end + 1);
    if (end == std::string_view::npos) return false;
    text = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return true;
  }

  bool TakeNumber(int64_t& number) {
    SkipSpace();
    const auto result = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    rest_.remove_prefix(static_cast<size_t>(result.ptr - rest_.data()));
    return result.ec == std::errc();
  }

  bool SkipValue() {
    SkipSpace();
    if (rest_.empty()) return false;
    std::string_view text;
    if (rest_.front() == '"') return TakeString(text);
    if (rest_.front() == '{' || rest_.front() == '[') return SkipNested();
    const size_t end = rest_.find_first_of(",]}");
    if (end == std::string_view::npos) return false;
    rest_.remove_prefix(end);
    return true;
  }

 private:
  void SkipSpace() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\n')) {
      rest_.remove_prefix(1);
    }
  }

  bool IsEscaped(size_t quote) const {
    size_t backslashes = 0;
    while (backslashes < quote && rest_[quote - 1 - backslashes] == '\\') ++backslashes;
    return backslashes % 2 == 1;
  }

  bool SkipNested() {
    size_t depth = 0;
    while (!rest_.empty()) {
      const char c = rest_.front();
      std::string_view text;
      if (c == '"') {
        if (!TakeString(text)) return false;
        continue;
      }
      rest_.remove_prefix(1);
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && --depth == 0) return true;
    }
    return false;
  }

  std::string_view rest_;
};

bool ReadMember(JsonCursor& cursor, std::string_view key, RoomEvent& event) {
  if (key == "roomId") return cursor.TakeString(event.room);
  if (key == "seq") return cursor.TakeNumber(event.seq);
  if (key == "content") return cursor.TakeString(event.content);
  return cursor.SkipValue();
}

bool IsComplete(const RoomEvent& event) {
  return !event.room.empty() && event.seq != 0 && event.content.data() != nullptr;
}

}  // namespace

bool ReadRoomEvent(std::string_view arguments, RoomEvent& event) {
  event = RoomEvent();
  JsonCursor cursor(arguments);
  if (!cursor.Take('[') || !cursor.TakeString(event.name)) return false;
  if (!cursor.Take(',') || !cursor.Take('{')) return true;  // No payload, or none that is ours.
  if (cursor.Take('}')) return true;
  do {
    std::string_view key;
    if (!cursor.TakeString(key) || !cursor.Take(':') || !ReadMember(cursor, key, event)) {
      return false;
    }
  } while (!IsComplete(event) && cursor.Take(','));
  return true;
}

}  // namespace confab::loadgen
