// How the default dialect tells notifications, and hears that they were dealt with.
#include <string>

#include "edge/dialect/dialect_set.h"
#include "tests/edge/dialect/dialect_fixture.h"

namespace confab::edge {
namespace {

class NotificationDialectTest : public DialectTest {
 protected:
  NotificationDialectTest() { dialect_ = set_.Find("confab"); }

  const DialectSet set_ = *DialectSet::Load("");
};

TEST_F(NotificationDialectTest, TellsNotificationsWithTheirNameAndUntouchedPayload) {
  v1::Notification note;
  note.set_notification_id("0199-n");
  note.set_event("level_up");
  note.mutable_created_at()->set_seconds(1'795'158'245);
  std::string live;
  EXPECT_TRUE(dialect_->EncodeNotification(note, R"({"level" : 1.50})", live));
  EXPECT_EQ(live, R"(["notification",{"id":"0199-n","name":"level_up","payload":{"level" : 1.50},)"
                  R"("createdAt":"2026-11-20T07:04:05.000Z"}])");

  note.set_inbox_seq(7);
  std::string kept;
  EXPECT_TRUE(dialect_->EncodeNotification(note, "1", kept));
  EXPECT_EQ(kept, R"(["notification",{"id":"0199-n","inboxSeq":7,"name":"level_up","payload":1,)"
                  R"("createdAt":"2026-11-20T07:04:05.000Z"}])");
}

TEST_F(NotificationDialectTest, TellsTheNotificationsOfARoomsLogLiveAndInItsPages) {
  v1::Result page;
  v1::Event& event = *page.mutable_history()->add_events();
  event.set_room_id("a");
  event.set_seq(4);
  v1::Notification& note = *event.mutable_notification_posted()->mutable_notification();
  note.set_notification_id("0199-n");
  note.set_event("level_up");
  note.set_json("[1]");
  note.mutable_created_at()->set_seconds(1'795'158'245);
  std::string live;

  EXPECT_TRUE(dialect_->EncodeEvent(event, "", live));

  const std::string members =
      R"("id":"0199-n","roomId":"a","seq":4,"name":"level_up","payload":[1],)"
      R"("createdAt":"2026-11-20T07:04:05.000Z"})";
  EXPECT_EQ(live, R"(["notification",{)" + members + "]");
  EXPECT_EQ(Ack(page),
            R"([{"ok":true,"events":[{"event":"notification",)" + members + R"(],"more":false}])");
}

TEST_F(NotificationDialectTest, ReadsAndAcksTheInboxAck) {
  ASSERT_FALSE(Translate(R"(["notification:ack",{"inboxSeq":7}])"));
  EXPECT_EQ(command_.ack_inbox().inbox_seq(), 7);
  v1::Result result;
  result.mutable_ack_inbox()->set_acked_seq(9);

  EXPECT_EQ(Ack(result), R"([{"ok":true,"ackedSeq":9}])");
  EXPECT_TRUE(dialect_->can_ack_inbox());
  EXPECT_TRUE(dialect_->has_notifications());
}

}  // namespace
}  // namespace confab::edge
