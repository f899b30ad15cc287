// scope.h: what a service token may permit, and which method needs what. Deny by default: a
// method that is not in the table is served to nobody.
// Threads: immutable; any thread.
#pragma once

#include <bitset>
#include <optional>
#include <string_view>

namespace confab::control {

enum class Scope {
  kRoomsRead,
  kRoomsWrite,
  kMembersWrite,
  kMessagesRead,
  kMessagesWrite,
  kPresenceRead,
  kNotify,
  kEdge,
  kAdmin,
};
inline constexpr size_t kScopeCount = 9;

using ScopeSet = std::bitset<kScopeCount>;

// "rooms:read" … "admin".
std::string_view WordOf(Scope scope);
std::optional<Scope> ScopeOfWord(std::string_view word);

// The scope a method needs; `method` as in the request's path: "/confab.v1.RoomService/GetRoom".
std::optional<Scope> ScopeOfMethod(std::string_view method);

}  // namespace confab::control
