#include "edge/hello.h"

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

const EdgeIdentity kIdentity{"edge-1", 77, "0.1.0"};

v1::AnnouncedConnection Announced(uint64_t id, int rooms = 1) {
  v1::AnnouncedConnection announced;
  announced.mutable_opened()->set_connection(id);
  announced.mutable_opened()->mutable_user()->set_id("user-" + std::to_string(id));
  for (int i = 0; i < rooms; ++i) announced.add_room_ids("room-" + std::to_string(i));
  return announced;
}

TEST(Hello, NamesTheEdgeInTheOneChunkOfAnEmptyEdge) {
  const auto chunks = BuildHello(kIdentity, {}, {});

  ASSERT_EQ(chunks.size(), 1u);
  EXPECT_EQ(chunks[0].edge_id(), "edge-1");
  EXPECT_EQ(chunks[0].epoch(), 77u);
  EXPECT_EQ(chunks[0].version(), "0.1.0");
  EXPECT_TRUE(chunks[0].last());
}

TEST(Hello, CarriesPositionsAndConnections) {
  const auto chunks = BuildHello(kIdentity, {{"room:a", 5}, {"room:b", 0}}, {Announced(9, 2)});

  ASSERT_EQ(chunks.size(), 1u);
  ASSERT_EQ(chunks[0].rooms_size(), 2);
  EXPECT_EQ(chunks[0].rooms(0).room_id(), "a");
  EXPECT_EQ(chunks[0].rooms(0).delivered_seq(), 5);
  ASSERT_EQ(chunks[0].connections_size(), 1);
  EXPECT_EQ(chunks[0].connections(0).opened().connection(), 9u);
  EXPECT_EQ(chunks[0].connections(0).room_ids(1), "room-1");
}

TEST(Hello, AnnouncesRoomsOnly) {
  const auto chunks = BuildHello(kIdentity, {{"user:ann", 0}, {"room:", 0}, {"room:a", 1}}, {});

  ASSERT_EQ(chunks[0].rooms_size(), 1);
  EXPECT_EQ(chunks[0].rooms(0).room_id(), "a");
}

TEST(Hello, IsCutIntoChunksThatHoldEverythingOnce) {
  constexpr size_t kLimit = 2'000;
  std::vector<std::pair<std::string, int64_t>> topics;
  std::vector<v1::AnnouncedConnection> connections;
  for (int i = 0; i < 300; ++i) topics.emplace_back("room:" + std::to_string(i), i);
  for (uint64_t i = 0; i < 300; ++i) connections.push_back(Announced(i, static_cast<int>(i % 7)));

  const auto chunks = BuildHello(kIdentity, topics, connections, kLimit);

  int64_t next_room = 0;
  uint64_t next_connection = 0;
  for (size_t i = 0; i < chunks.size(); ++i) {
    EXPECT_LE(chunks[i].ByteSizeLong(), kLimit);
    EXPECT_EQ(chunks[i].edge_id(), "edge-1") << i;
    EXPECT_EQ(chunks[i].epoch(), 77u) << i;
    EXPECT_EQ(chunks[i].last(), i + 1 == chunks.size()) << i;
    for (const auto& room : chunks[i].rooms()) EXPECT_EQ(room.delivered_seq(), next_room++);
    for (const auto& connection : chunks[i].connections()) {
      EXPECT_EQ(connection.opened().connection(), next_connection++);
    }
  }
  EXPECT_GT(chunks.size(), 5u);
  EXPECT_EQ(next_room, 300);
  EXPECT_EQ(next_connection, 300u);
}

TEST(Hello, SendsAnOversizedConnectionAlone) {
  const auto chunks =
      BuildHello(kIdentity, {}, {Announced(1), Announced(2, 100), Announced(3)}, 200);

  ASSERT_EQ(chunks.size(), 3u);
  EXPECT_EQ(chunks[1].connections_size(), 1);
}

TEST(Topics, AreRoomsOrNot) {
  EXPECT_EQ(TopicOfRoom("a:b"), "room:a:b");
  EXPECT_EQ(RoomOfTopic("room:a:b"), "a:b");
  EXPECT_EQ(RoomOfTopic("user:a"), "");
  EXPECT_EQ(RoomOfTopic("room"), "");
}

}  // namespace
}  // namespace confab::edge
