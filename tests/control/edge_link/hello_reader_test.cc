#include "control/edge_link/hello_reader.h"

#include <gtest/gtest.h>

namespace confab::control {
namespace {

using storage::RoomId;
using storage::UserId;

v1::Hello Chunk(bool is_last = false, const std::string& edge = "e1", uint64_t epoch = 7) {
  v1::Hello chunk;
  chunk.set_edge_id(edge);
  chunk.set_epoch(epoch);
  chunk.set_last(is_last);
  return chunk;
}

void AddRoom(v1::Hello& chunk, const std::string& room, int64_t seq) {
  chunk.add_rooms()->set_room_id(room);
  chunk.mutable_rooms()->rbegin()->set_delivered_seq(seq);
}

void AddConnection(v1::Hello& chunk, uint64_t id, const std::string& user,
                   const std::vector<std::string>& rooms) {
  v1::AnnouncedConnection& connection = *chunk.add_connections();
  connection.mutable_opened()->set_connection(id);
  connection.mutable_opened()->mutable_user()->set_id(user);
  for (const std::string& room : rooms) connection.add_room_ids(room);
}

TEST(HelloReader, GathersTheUsersOfEachRoomOverChunks) {
  v1::Hello first = Chunk();
  AddRoom(first, "a", 5);
  AddRoom(first, "b", 0);
  v1::Hello second = Chunk();
  AddConnection(second, 1, "bob", {"a", "b"});
  v1::Hello third = Chunk(true);
  AddConnection(third, 2, "ann", {"a"});
  AddConnection(third, 3, "bob", {"a"});
  HelloReader reader;

  ASSERT_TRUE(reader.Add(first).ok());
  ASSERT_TRUE(reader.Add(second).ok());
  EXPECT_FALSE(reader.is_complete());
  ASSERT_TRUE(reader.Add(third).ok());
  ASSERT_TRUE(reader.is_complete());
  const EdgeAnnouncement hello = reader.Take();

  EXPECT_EQ(hello.edge_id, "e1");
  EXPECT_EQ(hello.epoch, 7u);
  ASSERT_EQ(hello.rooms.size(), 2u);
  EXPECT_EQ(hello.rooms[0].room, RoomId("a"));
  EXPECT_EQ(hello.rooms[0].delivered_seq, 5);
  EXPECT_EQ(hello.rooms[0].users, (std::vector<UserId>{UserId("ann"), UserId("bob")}));
  EXPECT_EQ(hello.rooms[1].users, (std::vector<UserId>{UserId("bob")}));
}

TEST(HelloReader, NamesConnectionsWhoseRoomHasNoPosition) {
  v1::Hello chunk = Chunk(true);
  AddConnection(chunk, 1, "bob", {"a"});
  HelloReader reader;
  ASSERT_TRUE(reader.Add(chunk).ok());
  ASSERT_EQ(reader.orphans().size(), 1u);
  EXPECT_EQ(reader.orphans()[0].connection, 1u);
  EXPECT_EQ(reader.orphans()[0].room, "a");
}

TEST(HelloReader, RefusesWhatContradictsItself) {
  HelloReader nameless;
  v1::Hello chunk = Chunk(true, "");
  EXPECT_EQ(nameless.Add(chunk).code(), absl::StatusCode::kInvalidArgument);

  HelloReader mixed;
  v1::Hello first = Chunk();
  v1::Hello other = Chunk(true, "e2");
  ASSERT_TRUE(mixed.Add(first).ok());
  EXPECT_EQ(mixed.Add(other).code(), absl::StatusCode::kInvalidArgument);

  HelloReader negative;
  v1::Hello below = Chunk(true);
  AddRoom(below, "a", -1);
  EXPECT_EQ(negative.Add(below).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace confab::control
