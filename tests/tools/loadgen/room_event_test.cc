#include "tools/loadgen/room_event.h"

#include <gtest/gtest.h>

namespace confab::loadgen {
namespace {

TEST(RoomEvent, IsReadFromAMessage) {
  RoomEvent event;

  ASSERT_TRUE(ReadRoomEvent(
      R"(["newMessage",{"roomId":"den","seq":17,"messageId":"m","sender":{"id":"ann","name":"A\"}"},)"
      R"("clientMsgId":null,"mentions":["x","}"],"content":"hello","createdAt":"2026"}])",
      event));

  EXPECT_EQ(event.name, "newMessage");
  EXPECT_EQ(event.room, "den");
  EXPECT_EQ(event.seq, 17);
  EXPECT_EQ(event.content, "hello");
}

TEST(RoomEvent, IsReadWhateverTheOrderOfItsMembers) {
  RoomEvent event;

  ASSERT_TRUE(ReadRoomEvent(R"(["x", {"content":"a\\", "n":1.5e3,"seq":2 ,"roomId":"r"}])", event));

  EXPECT_EQ(event.content, R"(a\\)");
  EXPECT_EQ(event.seq, 2);
  EXPECT_EQ(event.room, "r");
}

TEST(RoomEvent, OfNoRoomHasItsNameAlone) {
  RoomEvent event;

  ASSERT_TRUE(ReadRoomEvent(R"(["presence",{"userId":"ann","status":"online"}])", event));
  EXPECT_EQ(event.name, "presence");
  EXPECT_EQ(event.seq, 0);
  EXPECT_TRUE(event.room.empty());
  ASSERT_TRUE(ReadRoomEvent(R"(["tick"])", event));
  EXPECT_EQ(event.name, "tick");
  ASSERT_TRUE(ReadRoomEvent(R"(["tick",{}])", event));
  ASSERT_TRUE(ReadRoomEvent(R"(["tick",5])", event));
}

TEST(RoomEvent, IsNoneWhereTheTextBreaksOff) {
  const std::string_view whole = R"(["newMessage",{"a":[{"b":"c"}],"seq":1}])";
  RoomEvent event;

  ASSERT_TRUE(ReadRoomEvent(whole, event));
  EXPECT_FALSE(ReadRoomEvent("", event));
  EXPECT_FALSE(ReadRoomEvent("{}", event));
  EXPECT_FALSE(ReadRoomEvent("[1]", event));
  EXPECT_FALSE(ReadRoomEvent(whole.substr(0, 20), event));
  EXPECT_FALSE(ReadRoomEvent(whole.substr(0, 31), event));
}

}  // namespace
}  // namespace confab::loadgen
