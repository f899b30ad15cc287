#include "control/auth/scope.h"

#include <array>
#include <utility>

namespace confab::control {
namespace {

constexpr std::array<std::string_view, kScopeCount> kWords = {
    "rooms:read",    "rooms:write", "members:write", "messages:read", "messages:write",
    "presence:read", "notify",      "edge",          "admin",
};

constexpr std::pair<std::string_view, Scope> kMethods[] = {
    {"/confab.v1.AdminService/ListAudit", Scope::kAdmin},
    {"/confab.v1.ConnectionService/KickConnections", Scope::kAdmin},
    {"/confab.v1.ConnectionService/ListConnections", Scope::kAdmin},
    {"/confab.v1.EdgeLinkService/Attach", Scope::kEdge},
    {"/confab.v1.EdgeService/DrainEdge", Scope::kAdmin},
    {"/confab.v1.EdgeService/ListEdges", Scope::kAdmin},
    {"/confab.v1.EventFeedService/CommitFeedCursor", Scope::kMessagesRead},
    {"/confab.v1.EventFeedService/DeleteFeedConsumer", Scope::kAdmin},
    {"/confab.v1.EventFeedService/ListFeedConsumers", Scope::kMessagesRead},
    {"/confab.v1.EventFeedService/ReadFeed", Scope::kMessagesRead},
    {"/confab.v1.MessageService/DeleteMessage", Scope::kMessagesWrite},
    {"/confab.v1.MessageService/EditMessage", Scope::kMessagesWrite},
    {"/confab.v1.MessageService/EraseUser", Scope::kAdmin},
    {"/confab.v1.MessageService/ExportRoom", Scope::kMessagesRead},
    {"/confab.v1.MessageService/ListEvents", Scope::kMessagesRead},
    {"/confab.v1.MessageService/PostMessage", Scope::kMessagesWrite},
    {"/confab.v1.MessageService/SetRetention", Scope::kRoomsWrite},
    {"/confab.v1.MessageService/TailEvents", Scope::kMessagesRead},
    {"/confab.v1.NotificationService/Notify", Scope::kNotify},
    {"/confab.v1.NotificationService/NotifyBatch", Scope::kNotify},
    {"/confab.v1.NotificationService/NotifyStream", Scope::kNotify},
    {"/confab.v1.PresenceService/GetPresence", Scope::kPresenceRead},
    {"/confab.v1.PresenceService/ListPresence", Scope::kPresenceRead},
    {"/confab.v1.PresenceService/WatchPresence", Scope::kPresenceRead},
    {"/confab.v1.RoomService/AddMembers", Scope::kMembersWrite},
    {"/confab.v1.RoomService/BanMember", Scope::kMembersWrite},
    {"/confab.v1.RoomService/CreateRoom", Scope::kRoomsWrite},
    {"/confab.v1.RoomService/DeleteRoom", Scope::kRoomsWrite},
    {"/confab.v1.RoomService/GetRoom", Scope::kRoomsRead},
    {"/confab.v1.RoomService/ListMembers", Scope::kRoomsRead},
    {"/confab.v1.RoomService/ListRooms", Scope::kRoomsRead},
    {"/confab.v1.RoomService/MuteMember", Scope::kMembersWrite},
    {"/confab.v1.RoomService/RemoveMembers", Scope::kMembersWrite},
    {"/confab.v1.RoomService/SetMemberRole", Scope::kMembersWrite},
    {"/confab.v1.RoomService/UnbanMember", Scope::kMembersWrite},
    {"/confab.v1.RoomService/UnmuteMember", Scope::kMembersWrite},
    {"/confab.v1.RoomService/UpdateRoom", Scope::kRoomsWrite},
};

}  // namespace

std::string_view WordOf(Scope scope) { return kWords.at(static_cast<size_t>(scope)); }

std::optional<Scope> ScopeOfWord(std::string_view word) {
  for (size_t i = 0; i < kWords.size(); ++i) {
    if (kWords[i] == word) return static_cast<Scope>(i);
  }
  return std::nullopt;
}

std::optional<Scope> ScopeOfMethod(std::string_view method) {
  for (const auto& [name, scope] : kMethods) {
    if (name == method) return scope;
  }
  return std::nullopt;
}

}  // namespace confab::control
