// room_change.h: what is to be changed of a room or of one user in it, checked and applied.
// Threads: pure.
#pragma once

#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/time/time.h>

#include "confab/v1/types.pb.h"

#include "storage/records.h"

namespace confab::control {

inline constexpr size_t kRoomTopicBytesLimit = 256;  // A line for people.
inline constexpr size_t kMetadataKeysLimit = 32;     // What a page shows of a room, not a database.
inline constexpr size_t kMetadataKeyBytesLimit = 64;
inline constexpr size_t kMetadataValueBytesLimit = 1024;
inline constexpr size_t kMetadataBytesLimit = 4096;  // A list of 500 rooms stays below 3 MiB.
inline constexpr uint32_t kSlowModeSecondsLimit = 6 * 3600;
inline constexpr uint32_t kRestrictionSecondsLimit = 315'360'000;  // Ten years; beyond: no end.

// What is to become of one user.
struct PersonChange {
  enum class Kind { kAdd, kRole, kRemove, kBan, kUnban, kMute, kUnmute };
  Kind kind = Kind::kAdd;
  storage::UserId user;
  // kRole; kAdd: kNone is the one that he has, or a member's.
  storage::Role role = storage::Role::kNone;
  uint32_t seconds = 0;  // kBan, kMute; 0: until it is lifted.
};

// All of it together.
bool IsWithinLimits(const storage::TextMap& metadata);

// BAD_REQUEST with the field's name.
absl::Status CheckSettings(const storage::RoomSettings& settings);
absl::Status CheckChanges(const v1::RoomChanges& changes);
absl::Status CheckPerson(const PersonChange& change);

// Applies them to `settings`. The names of what is another now ("isArchived").
// REQUIRES: CheckChanges is OK.
std::vector<std::string> ApplyChanges(const v1::RoomChanges& changes,
                                      storage::RoomSettings& settings);

// When a ban or mute that begins now ends.
absl::Time EndOf(uint32_t seconds, absl::Time now);

}  // namespace confab::control
