#include "control/room/room_change.h"

#include <utility>

#include <fmt/format.h>

#include "control/room/content_rules.h"
#include "control/status_reason.h"
#include "storage/record_check.h"

namespace confab::control {

using storage::RoomSettings;

namespace {

absl::Status BadRequest(std::string message) {
  return RefusalStatus(v1::REASON_BAD_REQUEST, std::move(message));
}

absl::Status CheckTopic(const std::string& topic) {
  if (topic.size() > kRoomTopicBytesLimit) {
    return BadRequest(fmt::format("topic: at most {} bytes", kRoomTopicBytesLimit));
  }
  if (storage::IsStorableText(topic)) return absl::OkStatus();
  return BadRequest("topic: is not valid UTF-8 or contains NUL");
}

absl::Status CheckSlowMode(uint32_t seconds) {
  if (seconds <= kSlowModeSecondsLimit) return absl::OkStatus();
  return BadRequest(fmt::format("slowModeSeconds: at most {}", kSlowModeSecondsLimit));
}

absl::Status CheckMetadata(const std::string& key, const std::string& value) {
  if (key.empty() || key.size() > kMetadataKeyBytesLimit) {
    return BadRequest(fmt::format("metadata: a key has 1 to {} bytes", kMetadataKeyBytesLimit));
  }
  if (value.size() > kMetadataValueBytesLimit) {
    return BadRequest(
        fmt::format("metadata: a value has at most {} bytes", kMetadataValueBytesLimit));
  }
  if (storage::IsStorableText(key) && storage::IsStorableText(value)) return absl::OkStatus();
  return BadRequest("metadata: is not valid UTF-8 or contains NUL");
}

template <typename T>
void Set(T value, const char* name, T& field, std::vector<std::string>& changed) {
  if (field == value) return;
  field = std::move(value);
  changed.emplace_back(name);
}

}  // namespace

bool IsWithinLimits(const storage::TextMap& metadata) {
  size_t bytes = 0;
  for (const auto& [key, value] : metadata) bytes += key.size() + value.size();
  return metadata.size() <= kMetadataKeysLimit && bytes <= kMetadataBytesLimit;
}

absl::Status CheckSettings(const RoomSettings& settings) {
  if (auto status = CheckTopic(settings.topic); !status.ok()) return status;
  for (const auto& [key, value] : settings.metadata) {
    if (auto status = CheckMetadata(key, value); !status.ok()) return status;
  }
  if (!IsWithinLimits(settings.metadata)) {
    return RefusalStatus(v1::REASON_LIMIT_REACHED,
                         fmt::format("metadata: at most {} keys and {} bytes together",
                                     kMetadataKeysLimit, kMetadataBytesLimit));
  }
  return absl::OkStatus();
}

absl::Status CheckChanges(const v1::RoomChanges& changes) {
  if (changes.has_topic()) {
    if (auto status = CheckTopic(changes.topic()); !status.ok()) return status;
  }
  if (!v1::RoomVisibility_IsValid(changes.visibility())) {
    return BadRequest("visibility: ROOM_VISIBILITY_PRIVATE or ROOM_VISIBILITY_PUBLIC");
  }
  if (auto status = CheckSlowMode(changes.slow_mode_seconds()); !status.ok()) return status;
  for (const auto& [key, value] : changes.set_metadata()) {
    if (auto status = CheckMetadata(key, value); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CheckPerson(const PersonChange& change) {
  if (auto refusal = CheckId(change.user.value, "userId")) {
    return RefusalStatus(refusal->reason, std::move(refusal->message));
  }
  if (change.kind == PersonChange::Kind::kRole && change.role == storage::Role::kNone) {
    return BadRequest("role: a member needs one");
  }
  if (change.seconds > kRestrictionSecondsLimit) {
    return BadRequest(
        fmt::format("seconds: at most {}; 0 is without an end", kRestrictionSecondsLimit));
  }
  return absl::OkStatus();
}

std::vector<std::string> ApplyChanges(const v1::RoomChanges& changes, RoomSettings& settings) {
  std::vector<std::string> changed;
  if (changes.has_topic()) Set(changes.topic(), "topic", settings.topic, changed);
  if (changes.visibility() != v1::ROOM_VISIBILITY_UNSPECIFIED) {
    Set(changes.visibility() == v1::ROOM_VISIBILITY_PUBLIC, "visibility", settings.is_public,
        changed);
  }
  if (changes.has_is_archived()) {
    Set(changes.is_archived(), "isArchived", settings.is_archived, changed);
  }
  if (changes.has_is_read_only()) {
    Set(changes.is_read_only(), "isReadOnly", settings.is_read_only, changed);
  }
  if (changes.has_slow_mode_seconds()) {
    Set(static_cast<int32_t>(changes.slow_mode_seconds()), "slowModeSeconds",
        settings.slow_mode_seconds, changed);
  }
  storage::TextMap metadata = settings.metadata;
  for (const std::string& key : changes.remove_metadata()) metadata.erase(key);
  for (const auto& [key, value] : changes.set_metadata()) metadata[key] = value;
  Set(std::move(metadata), "metadata", settings.metadata, changed);
  return changed;
}

absl::Time EndOf(uint32_t seconds, absl::Time now) {
  return seconds == 0 ? absl::InfiniteFuture() : now + absl::Seconds(seconds);
}

}  // namespace confab::control
