// Notifications of services: who is told, what is stored, what is refused.
#include <gmock/gmock.h>

#include "control/notification/notification_rules.h"
#include "tests/control/dispatch/notifications_bench.h"

namespace confab::control {
namespace {

using storage::StoreCall;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(NotificationsTest, TellTheEdgesOfAUserAndSayHowManyConnectionsThatAre) {
  TestEdge one(*dispatcher_, "e1");
  TestEdge two(*dispatcher_, "e2");
  one.Send(Opened(1, "ann"), Opened(2, "ann"), Opened(3, "bob"));
  two.Send(Opened(1, "ann"));

  const auto outcome = Told(ToUser("ann"));

  EXPECT_EQ(outcome.connections(), 3u);
  EXPECT_TRUE(outcome.connections_exact());
  EXPECT_FALSE(outcome.stored());
  EXPECT_EQ(outcome.notification_id().size(), 36u);
  EXPECT_TRUE(one.stream().AwaitLine("notify user:ann sale#0"));
  EXPECT_TRUE(two.stream().AwaitLine("notify user:ann sale#0"));
  EXPECT_EQ(Told(ToUser("nobody")).connections(), 0u);
}

TEST_F(NotificationsTest, TellARole) {
  TestEdge edge(*dispatcher_, "e1");
  edge.Send(Opened(1, "ann", "teacher"), Opened(2, "bob", "pupil"));
  v1::OutgoingNotification what = Note();
  what.set_role("teacher");

  EXPECT_EQ(Told(what).connections(), 1u);
  EXPECT_TRUE(edge.stream().AwaitLine("notify role:teacher sale#0"));
}

TEST_F(NotificationsTest, TellTheEdgesOfARoomAndCountThere) {
  MakeRoom("a", {"ann"});
  TestEdge one(*dispatcher_, "e1");
  TestEdge other(*dispatcher_, "e2");
  one.DoJoin(1, "ann", "a");
  v1::OutgoingNotification what = Note();
  what.set_room_id("a");
  Awaited<v1::NotificationOutcome> outcome;
  NotificationCalls(*dispatcher_).Notify(what, "shop", Soon(), outcome.callback());
  Report(one, "notify room:a sale#0", 7);

  const auto told = outcome.Get();

  ASSERT_TRUE(told.ok()) << told.status();
  EXPECT_EQ(told->connections(), 7u);
  EXPECT_TRUE(told->connections_exact());
  EXPECT_TRUE(one.stream().AwaitLine("notify room:a sale#0"));
  EXPECT_THAT(other.stream().lines(), IsEmpty());
}

TEST_F(NotificationsTest, AnswerInTimeWhenAnEdgeDoesNotCount) {
  MakeRoom("a", {"ann"});
  TestEdge edge(*dispatcher_, "e1");
  edge.DoJoin(1, "ann", "a");
  v1::OutgoingNotification what = Note();
  what.set_room_id("a");

  const auto told = Told(what);

  EXPECT_EQ(told.connections(), 0u);
  EXPECT_FALSE(told.connections_exact());
}

TEST_F(NotificationsTest, AnswerWhenAnEdgeGoesThatWasToCount) {
  TestEdge edge(*dispatcher_, "e1");
  v1::OutgoingNotification what = Note();
  what.mutable_everybody();
  Awaited<v1::NotificationOutcome> outcome;
  NotificationCalls(*dispatcher_).Notify(what, "shop", Soon(), outcome.callback());
  ASSERT_TRUE(edge.stream().AwaitLine("notify all sale#0"));
  edge.Detach();

  const auto told = outcome.Get();

  ASSERT_TRUE(told.ok());
  EXPECT_FALSE(told->connections_exact());
}

TEST_F(NotificationsTest, TellEverybodyAndOneConnection) {
  TestEdge edge(*dispatcher_, "e1", 0x1a2b);
  TestEdge other(*dispatcher_, "e2", 0x77);
  v1::OutgoingNotification all = Note("all");
  all.mutable_everybody();
  Awaited<v1::NotificationOutcome> everybody;
  NotificationCalls(*dispatcher_).Notify(all, "shop", Soon(), everybody.callback());
  Report(edge, "notify all all#0", 2);
  Report(other, "notify all all#0", 3);
  v1::OutgoingNotification one = Note("one");
  one.set_connection_id("1a2b-3c");
  Awaited<v1::NotificationOutcome> single;
  NotificationCalls(*dispatcher_).Notify(one, "shop", Soon(), single.callback());

  EXPECT_EQ(everybody.Get()->connections(), 5u);
  Report(edge, "direct 60 one#0", 1);
  EXPECT_EQ(single.Get()->connections(), 1u);
  EXPECT_THAT(other.stream().lines(), ElementsAre("notify all all#0"));
  one.set_connection_id("ffff-1");
  EXPECT_EQ(Told(one).connections(), 0u);
  one.set_connection_id("nonsense");
  EXPECT_EQ(Told(one).connections(), 0u);
}

TEST_F(NotificationsTest, StoreALoggedOneBeforeAnybodyIsTold) {
  TestEdge edge(*dispatcher_, "e1");
  OpenAnn(edge);
  store_->Block(StoreCall::kWriteInboxes);
  Awaited<v1::NotificationOutcome> outcome;
  NotificationCalls(*dispatcher_).Notify(Logged("ann"), "shop", Soon(), outcome.callback());
  ASSERT_TRUE(store_->WaitUntilBlocked(StoreCall::kWriteInboxes));
  EXPECT_THAT(edge.stream().lines(), IsEmpty());
  store_->Unblock(StoreCall::kWriteInboxes);

  const auto told = outcome.Get();

  ASSERT_TRUE(told.ok()) << told.status();
  EXPECT_TRUE(told->stored());
  EXPECT_EQ(told->seq(), 1);
  EXPECT_EQ(told->connections(), 1u);
  EXPECT_TRUE(edge.stream().AwaitLine("notify user:ann sale#1"));
}

TEST_F(NotificationsTest, KeepTheOrderOfAnInboxOverBatches) {
  TestEdge edge(*dispatcher_, "e1");
  OpenAnn(edge);
  std::vector<Awaited<v1::NotificationOutcome>> outcomes(200);
  for (auto& outcome : outcomes)
    NotificationCalls(*dispatcher_).Notify(Logged("ann"), "shop", Soon(), outcome.callback());
  for (auto& outcome : outcomes) ASSERT_TRUE(outcome.Get().ok());

  std::vector<std::string> expected;
  for (int i = 1; i <= 200; ++i) expected.push_back("notify user:ann sale#" + std::to_string(i));
  EXPECT_EQ(edge.stream().lines(), expected);
}

TEST_F(NotificationsTest, AnUnreachableStoreRefusesOnlyWhatIsToBeStored) {
  Restart(absl::Milliseconds(100));
  store_->FailAlways(StoreCall::kWriteInboxes, absl::UnavailableError("gone"));

  EXPECT_EQ(ReasonOf(Notify(Logged("ann")).status()), v1::REASON_UNAVAILABLE);
  EXPECT_TRUE(Notify(ToUser("ann")).ok());
}

TEST_F(NotificationsTest, WhoConnectsIsToldThatSomethingWaits) {
  Told(Logged("ann"));
  Told(Logged("ann"));
  TestEdge edge(*dispatcher_, "e1");

  edge.Send(Opened(1, "bob"), Opened(2, "ann"));

  EXPECT_TRUE(edge.stream().AwaitLine("inbox 2 0-2"));
  EXPECT_EQ(edge.stream().size(), 1u);
}

TEST_F(NotificationsTest, WhoConnectsIsToldHowFarTheInboxIsWhereNothingWaits) {
  Told(Logged("ann"));
  TestEdge first(*dispatcher_, "e1");
  EdgeCommand ack = TestEdge::Ask(1, "ann", 11);
  ack.command.mutable_ack_inbox()->set_inbox_seq(1);
  EXPECT_EQ(first.Do(ack).ack_inbox().acked_seq(), 1);
  TestEdge edge(*dispatcher_, "e2");

  edge.Send(Opened(2, "ann"));

  EXPECT_TRUE(edge.stream().AwaitLine("inbox 2 1-1"));
}

TEST_F(NotificationsTest, AnEdgeThatComesBackIsToldOfWhatItMissed) {
  Told(Logged("ann"));
  EdgeAnnouncement hello;
  hello.edge_id = "e1";
  hello.epoch = 1;
  hello.connections.push_back(Opened(7, "ann"));
  auto stream = std::make_shared<RecordingEdgeStream>();
  const auto attachment = dispatcher_->Attach(std::move(hello), stream);
  ASSERT_TRUE(attachment.ok());

  EXPECT_TRUE(stream->AwaitLine("inbox 7 0-1"));
  dispatcher_->Detach(*attachment);
}

TEST_F(NotificationsTest, InboxesThatCannotBeReadAreLookedUpLater) {
  Told(Logged("ann"));
  store_->Fail(StoreCall::kReadInboxHeads, absl::UnavailableError("gone"), 1, 2);
  TestEdge edge(*dispatcher_, "e1");

  edge.Send(Opened(1, "ann"));

  EXPECT_TRUE(edge.stream().AwaitLine("inbox 1 0-1"));
}

TEST_F(NotificationsTest, AConnectionReadsAndAcknowledgesItsUsersInbox) {
  Told(Logged("ann", "one"));
  Told(Logged("ann", "two"));
  Told(Logged("bob", "three"));
  TestEdge edge(*dispatcher_, "e1");
  EdgeCommand read = TestEdge::Ask(1, "ann", 11);
  read.command.mutable_read_inbox()->set_after_seq(0);
  EdgeCommand ack = TestEdge::Ask(1, "ann", 12);
  ack.command.mutable_ack_inbox()->set_inbox_seq(1);

  const v1::Result page = edge.Do(read);
  const v1::Result acked = edge.Do(ack);

  ASSERT_EQ(page.inbox_page().notifications_size(), 2);
  EXPECT_EQ(page.inbox_page().notifications(0).event(), "one");
  EXPECT_EQ(page.inbox_page().notifications(0).json(), "{}");
  EXPECT_EQ(page.inbox_page().notifications(1).inbox_seq(), 2);
  EXPECT_EQ(page.inbox_page().through_seq(), 2);
  EXPECT_FALSE(page.inbox_page().more());
  EXPECT_EQ(acked.ack_inbox().acked_seq(), 1);
  EXPECT_EQ(Inbox("ann").entries.size(), 1u);
  EXPECT_EQ(Inbox("bob").entries.size(), 1u);
}

TEST_F(NotificationsTest, ARoomsLogKeepsOnesLikeMessages) {
  MakeRoom("a", {"ann"});
  TestEdge edge(*dispatcher_, "e1");
  edge.DoJoin(1, "ann", "a");
  v1::OutgoingNotification what = Note("game_started");
  what.set_room_id("a");
  what.set_delivery_class(v1::DELIVERY_CLASS_LOGGED);
  what.set_idempotency_key("k");
  Awaited<v1::NotificationOutcome> outcome;
  NotificationCalls(*dispatcher_).Notify(what, "shop", Soon(), outcome.callback());
  Report(edge, "notify room:a count", 1);
  const auto told = outcome.Get();

  ASSERT_TRUE(told.ok()) << told.status();
  EXPECT_TRUE(told->stored());
  EXPECT_EQ(told->seq(), 2);
  EXPECT_EQ(told->connections(), 1u);
  EXPECT_THAT(edge.stream().lines(), Contains("notification 2 game_started"));
  const auto again = Told(what);
  EXPECT_TRUE(again.duplicate());
  EXPECT_EQ(again.seq(), 2);
  EXPECT_EQ(again.notification_id(), told->notification_id());
  what.set_room_id("none");
  EXPECT_EQ(ReasonOf(Notify(what).status()), v1::REASON_ROOM_NOT_FOUND);
}

TEST_F(NotificationsTest, RefuseWhatIsWrongNamingTheField) {
  const auto refused = [&](const std::function<void(v1::OutgoingNotification&)>& spoil) {
    v1::OutgoingNotification what = ToUser("ann");
    spoil(what);
    const absl::Status status = CheckNotification(what);
    return status.ok() ? "ok" : std::string(ErrorOf(status).message());
  };
  using What = v1::OutgoingNotification;
  using testing::HasSubstr;

  EXPECT_EQ(refused([](What&) {}), "ok");
  EXPECT_THAT(refused([](What& w) { w.clear_target(); }), HasSubstr("target"));
  EXPECT_THAT(refused([](What& w) { w.set_user_id(""); }), HasSubstr("user_id"));
  EXPECT_THAT(refused([](What& w) { w.set_role(std::string(129, 'x')); }), HasSubstr("role"));
  EXPECT_THAT(refused([](What& w) { w.set_event(""); }), HasSubstr("event"));
  EXPECT_THAT(refused([](What& w) { w.set_event(std::string(65, 'x')); }), HasSubstr("event"));
  EXPECT_THAT(refused([](What& w) { w.set_event("a\nb"); }), HasSubstr("control characters"));
  for (const char* reserved : {"connect", "connect_error", "disconnect", "disconnecting",
                               "newListener", "removeListener"}) {
    EXPECT_THAT(refused([&](What& w) { w.set_event(reserved); }), HasSubstr("reserved"));
  }
  EXPECT_THAT(refused([](What& w) { w.clear_payload(); }), HasSubstr("json or binary"));
  for (const char* bad : {"", "{", "{}{}", "[1,]", "nul", "\"\xff\"", "01"}) {
    EXPECT_THAT(refused([&](What& w) { w.set_json(bad); }), HasSubstr("json")) << bad;
  }
  for (const char* good : {"null", " 1.50 ", "\"\\u0000\"", "[1e40]", R"({"a":{"a":1,"a":2}})"}) {
    EXPECT_EQ(refused([&](What& w) { w.set_json(good); }), "ok") << good;
  }
  EXPECT_THAT(refused([](What& w) { w.set_json(std::string(33, '[') + std::string(33, ']')); }),
              HasSubstr("deep"));
  EXPECT_THAT(refused([](What& w) { w.set_binary(std::string(32 * 1024 + 1, 'x')); }),
              HasSubstr("32769 bytes"));
  EXPECT_THAT(refused([](What& w) {
                w.set_role("x");
                w.set_delivery_class(v1::DELIVERY_CLASS_LOGGED);
              }),
              HasSubstr("delivery_class"));
  EXPECT_THAT(refused([](What& w) {
                w.set_room_id("x");
                w.set_binary("x");
                w.set_delivery_class(v1::DELIVERY_CLASS_LOGGED);
              }),
              HasSubstr("binary"));
  EXPECT_THAT(refused([](What& w) {
                w.set_room_id("x");
                w.set_store_if_absent(true);
              }),
              HasSubstr("store_if_absent"));
  EXPECT_THAT(refused([](What& w) { w.set_ttl_ms(uint64_t{31} * 24 * 3600 * 1000); }),
              HasSubstr("ttl_ms"));
  EXPECT_THAT(refused([](What& w) { w.set_key(std::string(129, 'x')); }), HasSubstr("key"));
  EXPECT_THAT(refused([](What& w) { w.set_idempotency_key(std::string(129, 'x')); }),
              HasSubstr("idempotency_key"));
}

}  // namespace
}  // namespace confab::control
