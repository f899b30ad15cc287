// postgres_words.h: the words in which the tests of the PostgreSQL store are written.
// Threads: any thread, as the stores are.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <absl/time/time.h>
#include <gtest/gtest.h>

#include "storage/open_store.h"
#include "storage/store.h"

namespace confab::storage {

// Long enough for a loaded machine, short enough to be no wait for ever.
inline constexpr auto kBound = absl::Seconds(10);

inline std::unique_ptr<Store> OpenOrFail(const std::string& url, const StoreOptions& options = {}) {
  auto store = OpenStore(url, options);
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

inline std::unique_ptr<StoreWriter> WriterOf(Store& store) {
  const auto is_active = store.TryBecomeActive();
  EXPECT_TRUE(is_active.ok() && *is_active) << is_active.status();
  auto writer = store.OpenWriter();
  EXPECT_TRUE(writer.ok()) << writer.status();
  return writer.ok() ? *std::move(writer) : nullptr;
}

inline void CreateRoom(StoreWriter& writer, const std::string& id) {
  NewRoom room;
  room.id = RoomId(id);
  room.members = {{UserId("ann"), Role::kOwner}};
  const auto record = writer.CreateRoom(room);
  ASSERT_TRUE(record.ok()) << record.status();
}

inline std::vector<AppendRequest> Message(const std::string& room, const std::string& key) {
  NewEvent event;
  event.actor.id = UserId("ann");
  event.dedup = {DedupKey::Space::kClient, key};
  event.message_id = "id of " + key;
  event.content = "hello";
  return {{RoomId(room), 1, {event}}};
}

inline int64_t LastSeq(Store& store, const std::string& room) {
  const auto snapshot = store.ReadRoom(RoomId(room), {});
  EXPECT_TRUE(snapshot.ok()) << snapshot.status();
  return snapshot.ok() ? snapshot->room.last_seq : -1;
}

}  // namespace confab::storage
