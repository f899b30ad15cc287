// Notifications of services told once: retries, commands sent again, store_if_absent, and their count.
#include <vector>

#include <gmock/gmock.h>

#include "control/notification/key_lookup.h"
#include "tests/control/dispatch/notifications_bench.h"
#include "tests/support/eventually.h"

namespace confab::control {
namespace {

using storage::StoreCall;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST_F(NotificationsTest, ALostAnswerOfTheStoreTellsOnce) {
  TestEdge edge(*dispatcher_, "e1");
  OpenAnn(edge);
  store_->LoseAnswer(StoreCall::kWriteInboxes);

  const auto told = Told(Logged("ann"));

  EXPECT_EQ(told.seq(), 1);
  EXPECT_FALSE(told.duplicate());
  EXPECT_THAT(edge.stream().lines(), ElementsAre("notify user:ann sale#1"));
}

TEST_F(NotificationsTest, ARetryIsToldOnceAndAnsweredAgain) {
  TestEdge edge(*dispatcher_, "e1");
  OpenAnn(edge);
  const auto first = Told(Logged("ann", "sale", "k1"));
  const auto again = Told(Logged("ann", "sale", "k1"));
  v1::OutgoingNotification live = ToUser("ann", "ping");
  live.set_idempotency_key("k2");
  const auto live_first = Told(live);
  const auto live_again = Told(live);

  EXPECT_TRUE(again.duplicate());
  EXPECT_EQ(again.notification_id(), first.notification_id());
  EXPECT_EQ(again.seq(), first.seq());
  EXPECT_TRUE(live_again.duplicate());
  EXPECT_EQ(live_again.notification_id(), live_first.notification_id());
  EXPECT_EQ(live_again.connections(), 1u);
  EXPECT_THAT(edge.stream().lines(),
              ElementsAre("notify user:ann sale#1", "notify user:ann ping#0"));
}

TEST_F(NotificationsTest, StoreIfAbsentStoresForWhoIsNotThereAlone) {
  TestEdge edge(*dispatcher_, "e1");
  edge.Send(Opened(1, "ann"));
  v1::OutgoingNotification present = ToUser("ann");
  present.set_store_if_absent(true);
  v1::OutgoingNotification absent = ToUser("bob");
  absent.set_store_if_absent(true);

  Awaited<v1::NotificationOutcome> outcome;
  NotificationCalls(*dispatcher_).Notify(present, "shop", Soon(), outcome.callback());
  Report(edge, "notify user:ann sale#0", 1);
  const auto told = outcome.Get();
  ASSERT_TRUE(told.ok()) << told.status();
  EXPECT_FALSE(told->stored());
  EXPECT_EQ(told->connections(), 1u);
  EXPECT_TRUE(told->connections_exact());
  const auto stored = Told(absent);

  EXPECT_TRUE(stored.stored());
  EXPECT_EQ(stored.connections(), 0u);
  EXPECT_THAT(Inbox("ann").entries, IsEmpty());
  EXPECT_EQ(Inbox("bob").entries.size(), 1u);
}

TEST_F(NotificationsTest, StoreIfAbsentStoresForWhomNoClientCouldTell) {
  TestEdge edge(*dispatcher_, "e1");
  OpenAnn(edge);
  v1::OutgoingNotification what = ToUser("ann");
  what.set_store_if_absent(true);
  Awaited<v1::NotificationOutcome> outcome;
  NotificationCalls(*dispatcher_).Notify(what, "shop", Soon(), outcome.callback());
  Report(edge, "notify user:ann sale#0", 0);  // A dialect without a name for notifications.

  const auto told = outcome.Get();

  ASSERT_TRUE(told.ok()) << told.status();
  EXPECT_TRUE(told->stored());
  EXPECT_EQ(Inbox("ann").entries.size(), 1u);
}

TEST_F(NotificationsTest, StoreIfAbsentStoresWhenTheUsersOnlyEdgeGoesUnheard) {
  TestEdge edge(*dispatcher_, "e1");
  OpenAnn(edge);
  v1::OutgoingNotification what = ToUser("ann");
  what.set_store_if_absent(true);
  Awaited<v1::NotificationOutcome> outcome;
  NotificationCalls(*dispatcher_).Notify(what, "shop", Soon(), outcome.callback());
  ASSERT_TRUE(edge.stream().AwaitLine("notify user:ann sale#0"));
  edge.Detach();

  const auto told = outcome.Get();

  ASSERT_TRUE(told.ok()) << told.status();
  EXPECT_TRUE(told->stored());
  EXPECT_EQ(Inbox("ann").entries.size(), 1u);
}

TEST_F(NotificationsTest, AreCountedByWhatBecameOfThem) {
  TestEdge edge(*dispatcher_, "e1");
  OpenAnn(edge);
  Told(ToUser("ann"));
  Told(ToUser("nobody"));
  Told(Logged("ann", "sale", "k"));
  Told(Logged("ann", "sale", "k"));
  v1::OutgoingNotification nowhere = Note();
  nowhere.set_room_id("none");
  nowhere.set_delivery_class(v1::DELIVERY_CLASS_LOGGED);
  EXPECT_FALSE(Notify(nowhere).ok());

  const std::string figures = metrics_.Render();
  for (const char* result : {"told", "told_nobody", "stored", "duplicate", "refused"}) {
    EXPECT_THAT(figures,
                testing::HasSubstr(std::string("confab_control_notifications_total{result=\"") +
                                   result + "\"} 1\n"));
  }
}

TEST_F(NotificationsTest, ARetryWaitsForTheFirstAndIsAnsweredAsIt) {
  v1::OutgoingNotification what = ToUser("ann");
  what.set_store_if_absent(true);
  what.set_idempotency_key("k");
  store_->Block(StoreCall::kWriteInboxes);
  Awaited<v1::NotificationOutcome> first;
  Awaited<v1::NotificationOutcome> retry;
  NotificationCalls(*dispatcher_).Notify(what, "shop", Soon(), first.callback());
  NotificationCalls(*dispatcher_).Notify(what, "shop", Soon(), retry.callback());
  ASSERT_TRUE(store_->WaitUntilBlocked(StoreCall::kWriteInboxes));
  store_->Unblock(StoreCall::kWriteInboxes);

  const auto stored = first.Get();
  const auto again = retry.Get();

  ASSERT_TRUE(stored.ok()) << stored.status();
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->duplicate());
  EXPECT_TRUE(again->stored());
  EXPECT_EQ(again->seq(), stored->seq());
  EXPECT_EQ(again->notification_id(), stored->notification_id());
  EXPECT_EQ(Inbox("ann").entries.size(), 1u);
}

v1::OutgoingNotification StoredIfAbsent(const std::string& event) {
  v1::OutgoingNotification what = ToUser("ann", event);
  what.set_store_if_absent(true);
  what.set_idempotency_key("k");
  return what;
}

TEST_F(NotificationsTest, WhatWasStoredBeforeARestartIsNotToldToWhoHasComeSince) {
  const auto stored = Told(StoredIfAbsent("sale"));
  Restart();
  TestEdge edge(*dispatcher_, "e1");
  OpenAnn(edge);

  const auto again = Told(StoredIfAbsent("sale"));
  const auto once_more = Told(StoredIfAbsent("sale"));

  EXPECT_TRUE(again.duplicate());
  EXPECT_TRUE(again.stored());
  EXPECT_EQ(again.connections(), 0u);
  EXPECT_EQ(again.notification_id(), stored.notification_id());
  EXPECT_EQ(again.seq(), stored.seq());
  EXPECT_EQ(once_more.seq(), stored.seq());
  EXPECT_EQ(store_->calls(StoreCall::kFindInboxKey), 1) << "now it is in memory";
  EXPECT_THAT(edge.stream().lines(), Not(Contains(HasSubstr("notify"))));
  EXPECT_EQ(Inbox("ann").entries.size(), 1u);
}

TEST_F(NotificationsTest, NothingOvertakesWhatIsLookedUpForTheSameUser) {
  TestEdge edge(*dispatcher_, "e1");
  OpenAnn(edge);
  store_->Block(StoreCall::kFindInboxKey);
  Awaited<v1::NotificationOutcome> first;
  Awaited<v1::NotificationOutcome> second;
  NotificationCalls(*dispatcher_).Notify(StoredIfAbsent("one"), "shop", Soon(), first.callback());
  ASSERT_TRUE(store_->WaitUntilBlocked(StoreCall::kFindInboxKey));
  NotificationCalls(*dispatcher_).Notify(ToUser("ann", "two"), "shop", Soon(), second.callback());
  Told(ToUser("bob"));
  EXPECT_THAT(edge.stream().lines(), IsEmpty());

  store_->Unblock(StoreCall::kFindInboxKey);

  Report(edge, "notify user:ann one#0", 1);
  EXPECT_FALSE(first.Get()->stored());
  EXPECT_EQ(second.Get()->connections(), 1u);
  EXPECT_THAT(edge.stream().lines(), ElementsAre("notify user:ann one#0", "notify user:ann two#0"));
}

TEST_F(NotificationsTest, NoMoreThanALimitWaitsBehindALookUp) {
  store_->Block(StoreCall::kFindInboxKey);
  std::vector<Awaited<v1::NotificationOutcome>> waiting(KeyLookup::kBehindLimit + 1);
  for (size_t i = 0; i < waiting.size(); ++i) {
    NotificationCalls(*dispatcher_)
        .Notify(i == 0 ? StoredIfAbsent("sale") : ToUser("ann"), "shop", Soon(),
                waiting[i].callback());
  }

  EXPECT_EQ(ReasonOf(Notify(ToUser("ann")).status()), v1::REASON_UNAVAILABLE);
  store_->Unblock(StoreCall::kFindInboxKey);

  for (auto& outcome : waiting) EXPECT_TRUE(outcome.Get().ok());
}

TEST_F(NotificationsTest, AStoreThatDoesNotSayKeepsNobodyFromBeingTold) {
  store_->FailAlways(StoreCall::kFindInboxKey, absl::UnavailableError("gone"));
  TestEdge edge(*dispatcher_, "e1");
  OpenAnn(edge);
  Awaited<v1::NotificationOutcome> outcome;

  NotificationCalls(*dispatcher_)
      .Notify(StoredIfAbsent("sale"), "shop", Soon(), outcome.callback());

  Report(edge, "notify user:ann sale#0", 1);
  EXPECT_EQ(outcome.Get()->connections(), 1u);
}

TEST_F(NotificationsTest, ARetryOfWhatFailsIsRefusedAsItAndTheNextOneIsTriedAgain) {
  Restart(absl::Seconds(1));
  v1::OutgoingNotification what = ToUser("ann");
  what.set_store_if_absent(true);
  what.set_idempotency_key("k");
  store_->FailAlways(StoreCall::kWriteInboxes, absl::UnavailableError("gone"));
  Awaited<v1::NotificationOutcome> first;
  Awaited<v1::NotificationOutcome> retry;
  NotificationCalls(*dispatcher_).Notify(what, "shop", Soon(), first.callback());
  NotificationCalls(*dispatcher_).Notify(what, "shop", Soon(), retry.callback());

  EXPECT_EQ(ReasonOf(first.Get().status()), v1::REASON_UNAVAILABLE);
  EXPECT_EQ(ReasonOf(retry.Get().status()), v1::REASON_UNAVAILABLE);
  store_->Heal();
  absl::StatusOr<v1::NotificationOutcome>
      next;  // Refused until control sees that it may write again.
  ASSERT_TRUE(tests::Eventually([&] { return (next = Notify(what)).ok(); })) << next.status();
  EXPECT_TRUE(next->stored());
  EXPECT_FALSE(next->duplicate());
}

TEST_F(NotificationsTest, AnEdgeThatSendsItsCommandAgainTellsOnce) {
  MakeRoom("a", {"ann"});
  TestEdge edge(*dispatcher_, "e1");
  OpenAnn(edge);
  v1::OutgoingNotification in_room = Note("game_started");
  in_room.set_room_id("a");
  in_room.set_delivery_class(v1::DELIVERY_CLASS_LOGGED);
  const std::vector<v1::OutgoingNotification> notifications = {Logged("ann"), Logged("ann"),
                                                               ToUser("ann", "ping"), in_room};
  const auto tell = [&](TestEdge& by) {
    std::vector<v1::NotificationOutcome> outcomes;
    for (const v1::OutgoingNotification& what : notifications) {
      EdgeCommand ask = TestEdge::Ask(77, "", 20 + outcomes.size());
      ask.service = "shop";
      *ask.command.mutable_notify()->mutable_notification() = what;
      outcomes.push_back(by.Do(std::move(ask)).notify());
    }
    return outcomes;
  };

  const auto first = tell(edge);
  edge.Detach();
  TestEdge attached_again(*dispatcher_, "e1");
  const auto second = tell(attached_again);

  for (size_t i = 0; i < first.size(); ++i) {
    EXPECT_FALSE(first[i].duplicate()) << i;
    EXPECT_TRUE(second[i].duplicate()) << i;
    EXPECT_EQ(second[i].notification_id(), first[i].notification_id()) << i;
    EXPECT_EQ(second[i].seq(), first[i].seq()) << i;
  }
  EXPECT_EQ(Inbox("ann").entries.size(), 2u);
  EXPECT_EQ(List("a")->events.size(), 2u);
}

TEST_F(NotificationsTest, NamesOfServicesAndKeysAreNotMixedUp) {
  const auto told = [&](const std::string& service, const std::string& key) {
    Awaited<v1::NotificationOutcome> outcome;
    NotificationCalls(*dispatcher_)
        .Notify(Logged("ann", "sale", key), service, Soon(), outcome.callback());
    const auto answer = outcome.Get();
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() && !answer->duplicate();
  };

  EXPECT_TRUE(told("a", "b/k"));
  EXPECT_TRUE(told("a/b", "k"));
  EXPECT_FALSE(told("a", "b/k"));
}

}  // namespace
}  // namespace confab::control
