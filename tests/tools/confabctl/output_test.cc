#include "tools/confabctl/output.h"

#include <sstream>

#include <gtest/gtest.h>

namespace confab::ctl {
namespace {

TEST(Output, EscapesWhatCouldMoveATerminal) {
  EXPECT_EQ(Printable("plain ü 漢字 🎉"), "plain ü 漢字 🎉");
  EXPECT_EQ(Printable("\x1b[2Jgone"), "\\x1b[2Jgone");
  EXPECT_EQ(Printable("two\nlines\r\t\x7f"), "two\\nlines\\x0d\\x09\\x7f");
  EXPECT_EQ(Printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b31m");  // CSI as one C1 character.
  EXPECT_EQ(Printable("\xe2\x80\xaegnp.exe"), "\\xe2\\x80\\xaegnp.exe");  // Right-to-left override.
  EXPECT_EQ(Printable("bad \xff \xc0\xaf \xed\xa0\x80 end\xe2\x82"),
            "bad \\xff \\xc0\\xaf \\xed\\xa0\\x80 end\\xe2\\x82");
}

TEST(Output, AlignsColumnsByCodePoints) {
  Table table({"A", "B"});
  table.Add({"ü", "x"});
  table.Add({"long", "y"});
  std::ostringstream out;

  table.Print(out);

  EXPECT_EQ(out.str(), "A     B\nü     x\nlong  y\n");
}

TEST(Output, WritesProto3JsonWithDefaults) {
  v1::Room room;
  room.set_id("lobby");

  EXPECT_EQ(ToJson(room),
            R"({"id":"lobby","topic":"","visibility":"ROOM_VISIBILITY_UNSPECIFIED","lastSeq":"0",)"
            R"("metadata":{},"isArchived":false,"isReadOnly":false,"slowModeSeconds":0})");
  room.set_member_count(0);
  EXPECT_NE(ToJson(room).find(R"("memberCount":"0")"), std::string::npos);
}

TEST(Output, RoleWordsGoBothWays) {
  for (const std::string& word : RoleWords()) EXPECT_EQ(Show(RoleOfWord(word)), word);
  EXPECT_EQ(RoleOfWord("king"), v1::ROLE_UNSPECIFIED);
}

TEST(Output, DescribesWhatChangesARoom) {
  v1::Event event;
  event.mutable_member_banned()->set_user_id("eve\x1b");
  EXPECT_EQ(Describe(event), "[banned eve\\x1b]");
  event.mutable_member_muted()->set_user_id("bob");
  event.mutable_member_muted()->mutable_until()->set_seconds(1'800'000'000);
  EXPECT_EQ(Describe(event), "[muted bob until 2027-01-15T08:00:00.000Z]");
  v1::RoomUpdated& update = *event.mutable_room_updated();
  for (const char* name : {"topic", "isArchived", "metadata"}) update.add_changed(name);
  update.set_topic("tea");
  update.set_is_archived(true);
  EXPECT_EQ(Describe(event), "[changed topic: tea, isArchived: true, metadata]");
}

TEST(Output, DescribesAnEventItDoesNotKnow) {
  EXPECT_EQ(Describe(v1::Event()), "[an event this confabctl does not know]");
  EXPECT_EQ(ActorOf(v1::Event()), "system");
}

}  // namespace
}  // namespace confab::ctl
