#include "edge/hello.h"

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

const EdgeIdentity kIdentity{.edge_id = "e", .epoch = 7, .version = "1"};

TEST(Hello, SaysWhoItIsEvenWithNothingToCarry) {
  const std::vector<v1::Hello> chunks = BuildHello(kIdentity, {}, {});

  ASSERT_EQ(chunks.size(), 1u);
  EXPECT_EQ(chunks[0].edge_id(), "e");
  EXPECT_EQ(chunks[0].epoch(), 7u);
  EXPECT_TRUE(chunks[0].last());
}

TEST(Hello, CutsChunksWithinTheLimitAndLosesNothing) {
  std::vector<std::pair<std::string, std::int64_t>> topics;
  std::vector<v1::AnnouncedConnection> connections(300);
  for (int i = 0; i < 200; ++i) topics.emplace_back("room:" + std::to_string(i), i);
  for (std::size_t i = 0; i < connections.size(); ++i) {
    connections[i].mutable_opened()->set_connection(i);
    connections[i].add_room_ids("7");
  }

  const std::vector<v1::Hello> chunks =
      BuildHello(kIdentity, std::move(topics), std::move(connections), 1000);

  int rooms = 0;
  int announced = 0;
  for (const v1::Hello& chunk : chunks) {
    EXPECT_LE(chunk.ByteSizeLong(), 1000u);
    EXPECT_EQ(chunk.edge_id(), "e");
    EXPECT_EQ(chunk.last(), &chunk == &chunks.back());
    rooms += chunk.rooms_size();
    announced += chunk.connections_size();
  }
  EXPECT_GT(chunks.size(), 3u);
  EXPECT_EQ(rooms, 200);
  EXPECT_EQ(announced, 300);
}

TEST(Hello, TurnsRoomsIntoTopicsAndBack) {
  EXPECT_EQ(TopicOfRoom("a:b"), "room:a:b");
  EXPECT_EQ(RoomOfTopic("room:a:b"), "a:b");
  EXPECT_EQ(RoomOfTopic("user:1"), "");
}

}  // namespace
}  // namespace confab::edge
