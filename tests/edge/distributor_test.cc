#include "edge/distributor.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "edge/control_link/recovery_questions.h"
#include "process/metrics.h"

namespace confab::edge {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

class RecordingLink final : public ControlLink {
 public:
  void Start(ControlLinkSink&) override {}
  void Announce(uint64_t stream, std::vector<v1::Hello> chunks) override {
    announced_on.push_back(stream);
    hello = std::move(chunks);
  }
  void Send(uint64_t stream, std::vector<v1::EdgeItem>& items) override {
    sent_on.push_back(stream);
    for (v1::EdgeItem& item : items) sent.push_back(std::move(item));
    items.clear();
  }
  void Reset(uint64_t stream, std::string_view) override { reset.push_back(stream); }
  void Stop() override {}

  std::vector<uint64_t> announced_on;
  std::vector<v1::Hello> hello;
  std::vector<uint64_t> sent_on;
  std::vector<v1::EdgeItem> sent;
  std::vector<uint64_t> reset;
};

class RecordingThread final : public Distributor::Recipient {
 public:
  void PostAnnounce(uint64_t stream) override { announce.push_back(stream); }
  void PostItems(ItemBatch batch) override {
    subscribes_seen = batch.subscribes_seen;
    for (const auto& [place, broadcasts] : batch.items) {
      got.push_back(batch.batch->items(place).ShortDebugString());
      numbers.push_back(batch.broadcasts_before + broadcasts);
    }
  }
  void PostClosed(uint64_t stream) override { closed.push_back(stream); }

  std::vector<uint64_t> announce;
  std::vector<std::string> got;
  std::vector<uint64_t> numbers;  // Of broadcasts, up to each of those.
  std::vector<uint64_t> closed;
  uint64_t subscribes_seen = 0;
};

// Connections of thread 1 and 2 of three.
constexpr uint64_t kOnFirst = 5 << 8 | 1;
constexpr uint64_t kOnSecond = 6 << 8 | 2;

v1::ControlItem Welcome() {
  v1::ControlItem item;
  item.mutable_welcome();
  return item;
}

v1::ControlItem Subscribe(uint64_t connection, const std::string& topic, int64_t from_seq = 0) {
  v1::ControlItem item;
  item.mutable_subscribe()->set_connection(connection);
  item.mutable_subscribe()->set_topic(topic);
  item.mutable_subscribe()->set_from_seq(from_seq);
  return item;
}

v1::ControlItem Event(const std::string& topic, int64_t seq) {
  v1::ControlItem item;
  item.mutable_broadcast()->add_topics(topic);
  item.mutable_broadcast()->mutable_event()->mutable_event()->set_seq(seq);
  return item;
}

v1::ControlItem Result(uint64_t connection) {
  v1::ControlItem item;
  item.mutable_result()->set_connection(connection);
  return item;
}

class DistributorTest : public testing::Test {
 protected:
  DistributorTest() {
    distributor_.Prepare({"edge-1", 1, "v"}, {&threads_[0], &threads_[1], &threads_[2]});
    Open(1);
  }

  void Open(uint64_t stream) {
    distributor_.OnStreamOpened(stream);
    for (int i = 0; i < 3; ++i) distributor_.OnAnnounced(stream, {});
  }

  void Items(uint64_t stream, const std::vector<v1::ControlItem>& items) {
    auto batch = std::make_shared<v1::AttachResponse>();
    for (const v1::ControlItem& item : items) *batch->add_items() = item;
    distributor_.OnItems(stream, batch);
  }

  process::Metrics metrics_;
  EdgeMetrics edge_metrics_{metrics_};
  RecordingLink link_;
  RecordingThread threads_[3];
  Distributor distributor_{link_, edge_metrics_};
};

TEST_F(DistributorTest, AnnouncesWhenEveryThreadHasAnswered) {
  v1::AnnouncedConnection announced;
  announced.mutable_opened()->set_connection(kOnFirst);
  link_.announced_on.clear();

  distributor_.OnStreamOpened(2);
  distributor_.OnAnnounced(2, {});
  distributor_.OnAnnounced(2, {announced});
  EXPECT_THAT(link_.announced_on, IsEmpty());
  distributor_.OnAnnounced(2, {});

  EXPECT_THAT(link_.announced_on, ElementsAre(2));
  ASSERT_EQ(link_.hello.size(), 1u);
  ASSERT_EQ(link_.hello[0].connections_size(), 1);
  EXPECT_EQ(link_.hello[0].connections(0).opened().connection(), kOnFirst);
  EXPECT_THAT(threads_[2].announce, ElementsAre(1, 2));
}

TEST_F(DistributorTest, CountsWhatIsToldToAnybody) {
  v1::ControlItem direct;
  direct.mutable_direct()->set_connection(kOnSecond);
  Items(1, {Subscribe(kOnFirst, "room:a"), Event("room:a", 1), direct, Event("room:a", 2)});
  Items(1, {Event("room:a", 3), Result(kOnFirst)});

  EXPECT_THAT(threads_[1].numbers, ElementsAre(0, 1, 3, 4, 4));
  EXPECT_THAT(threads_[2].numbers, ElementsAre(2));
}

TEST_F(DistributorTest, KnowsTheFirstEventBehindABroadcast) {
  distributor_.KeepBroadcasts();
  Items(1, {Subscribe(kOnFirst, "room:a"), Subscribe(kOnSecond, "room:b", 7), Event("room:a", 1),
            Event("room:b", 8), Event("room:b", 8), Event("room:a", 2)});
  const std::vector<std::string_view> rooms = {"a", "b", "c"};

  EXPECT_THAT(distributor_.FirstBehind(0, rooms), Optional(ElementsAre(1, 8, INT64_MAX)));
  EXPECT_THAT(distributor_.FirstBehind(1, rooms), Optional(ElementsAre(2, 8, INT64_MAX)));
  // The duplicate was none.
  EXPECT_THAT(distributor_.FirstBehind(4, rooms),
              Optional(ElementsAre(INT64_MAX, INT64_MAX, INT64_MAX)));
  EXPECT_EQ(distributor_.FirstBehind(5, rooms), std::nullopt);
}

v1::ControlItem Notification(const std::string& topic, uint64_t report) {
  v1::ControlItem item;
  item.mutable_broadcast()->add_topics(topic);
  item.mutable_broadcast()->mutable_notification()->set_report(report);
  return item;
}

TEST_F(DistributorTest, AddsUpWhatTheThreadsOfATopicHaveHandedOver) {
  Items(1,
        {Subscribe(kOnFirst, "room:a"), Subscribe(kOnSecond, "room:a"), Notification("room:a", 7)});
  distributor_.OnHandedOver(7, 3);
  EXPECT_THAT(link_.sent, IsEmpty());
  distributor_.OnHandedOver(7, 4);
  distributor_.OnHandedOver(7, 4);  // Nobody asked.

  ASSERT_EQ(link_.sent.size(), 1u);
  EXPECT_EQ(link_.sent[0].notification_report().report(), 7u);
  EXPECT_EQ(link_.sent[0].notification_report().connections(), 7u);
}

TEST_F(DistributorTest, ReportsATopicThatNobodyHasAtOnce) {
  Items(1, {Notification("room:a", 7), Notification("room:a", 0)});

  ASSERT_EQ(link_.sent.size(), 1u);
  EXPECT_EQ(link_.sent[0].notification_report().report(), 7u);
  EXPECT_EQ(link_.sent[0].notification_report().connections(), 0u);
}

TEST_F(DistributorTest, ForgetsReportsOfAStreamThatIsOver) {
  Items(1, {Subscribe(kOnFirst, "room:a"), Notification("room:a", 7)});
  distributor_.OnStreamClosed(1);
  Open(2);

  distributor_.OnHandedOver(7, 3);

  EXPECT_THAT(link_.sent, IsEmpty());
}

TEST_F(DistributorTest, MixesNoAnswersOfTwoStreams) {
  link_.announced_on.clear();
  distributor_.OnStreamOpened(2);
  distributor_.OnAnnounced(2, {});
  distributor_.OnStreamOpened(3);
  distributor_.OnAnnounced(2, {});  // Of the stream before.
  distributor_.OnAnnounced(3, {});
  distributor_.OnAnnounced(3, {});
  EXPECT_THAT(link_.announced_on, IsEmpty());

  distributor_.OnAnnounced(3, {});

  EXPECT_THAT(link_.announced_on, ElementsAre(3));
}

TEST_F(DistributorTest, AnnouncesHowFarEachRoomHasCome) {
  Items(1, {Subscribe(kOnFirst, "room:r", 4), Event("room:r", 5)});

  Open(2);

  ASSERT_EQ(link_.hello[0].rooms_size(), 1);
  EXPECT_EQ(link_.hello[0].rooms(0).room_id(), "r");
  EXPECT_EQ(link_.hello[0].rooms(0).delivered_seq(), 5);
}

TEST_F(DistributorTest, IsAttachedFromWelcomeOn) {
  EXPECT_FALSE(distributor_.is_attached());

  Items(1, {Welcome()});
  EXPECT_TRUE(distributor_.is_attached());
  for (const RecordingThread& thread : threads_) EXPECT_EQ(thread.got.size(), 1u);

  distributor_.OnStreamClosed(1);
  EXPECT_FALSE(distributor_.is_attached());
  EXPECT_THAT(threads_[0].closed, ElementsAre(1));
}

TEST_F(DistributorTest, GivesEachThreadItsOwn) {
  Items(1, {Result(kOnFirst), Result(kOnSecond)});

  EXPECT_THAT(threads_[0].got, IsEmpty());
  EXPECT_THAT(threads_[1].got, ElementsAre(Result(kOnFirst).ShortDebugString()));
  EXPECT_THAT(threads_[2].got, ElementsAre(Result(kOnSecond).ShortDebugString()));
}

TEST_F(DistributorTest, GivesEventsToThreadsWithSubscribersOnly) {
  Items(1, {Subscribe(kOnFirst, "room:r"), Event("room:r", 1), Subscribe(kOnSecond, "room:r", 1),
            Event("room:r", 2)});

  EXPECT_THAT(threads_[0].got, IsEmpty());
  EXPECT_THAT(threads_[1].got, ElementsAre(Subscribe(kOnFirst, "room:r").ShortDebugString(),
                                           Event("room:r", 1).ShortDebugString(),
                                           Event("room:r", 2).ShortDebugString()));
  EXPECT_THAT(threads_[2].got, ElementsAre(Subscribe(kOnSecond, "room:r", 1).ShortDebugString(),
                                           Event("room:r", 2).ShortDebugString()));
}

TEST_F(DistributorTest, KeepsTheOrderOfBroadcastAndResult) {
  Items(1, {Subscribe(kOnFirst, "room:r"), Event("room:r", 1), Result(kOnFirst)});

  ASSERT_EQ(threads_[1].got.size(), 3u);
  EXPECT_EQ(threads_[1].got[1], Event("room:r", 1).ShortDebugString());
  EXPECT_EQ(threads_[1].got[2], Result(kOnFirst).ShortDebugString());
}

TEST_F(DistributorTest, DropsAnEventThatCameAlready) {
  Items(1, {Subscribe(kOnFirst, "room:r"), Event("room:r", 1), Event("room:r", 1)});

  EXPECT_EQ(threads_[1].got.size(), 2u);
  EXPECT_THAT(link_.reset, IsEmpty());
}

TEST_F(DistributorTest, GivesTheStreamUpAtAGap) {
  Items(1, {Subscribe(kOnFirst, "room:r"), Event("room:r", 2), Result(kOnFirst)});

  EXPECT_THAT(link_.reset, ElementsAre(1));
  EXPECT_THAT(threads_[1].got, ElementsAre(Subscribe(kOnFirst, "room:r").ShortDebugString()))
      << "nothing behind the gap";
}

TEST_F(DistributorTest, GivesTheStreamUpAtAnEventOfNoRoomOrTwo) {
  v1::ControlItem two = Event("room:r", 1);
  two.mutable_broadcast()->add_topics("room:s");
  Items(1, {two});

  v1::ControlItem none;
  none.mutable_broadcast()->mutable_event();
  Items(1, {none});

  EXPECT_THAT(link_.reset, ElementsAre(1, 1));
}

v1::ControlItem Signal(std::initializer_list<const char*> topics) {
  v1::ControlItem item;
  for (const char* topic : topics) item.mutable_broadcast()->add_topics(topic);
  item.mutable_broadcast()->mutable_signal()->mutable_typing();
  return item;
}

TEST_F(DistributorTest, GivesSignalsToThreadsThatWantAnyOfTheTopics) {
  distributor_.Want(1, "user:ann");
  distributor_.Want(2, "role:dev");

  Items(1, {Signal({"user:ann", "role:dev"}), Signal({"user:ann"}), Signal({"user:eve"})});

  EXPECT_THAT(threads_[0].got, IsEmpty());
  EXPECT_EQ(threads_[1].got.size(), 2u);
  EXPECT_EQ(threads_[2].got.size(), 1u);
}

TEST_F(DistributorTest, GivesWhatIsForAllToEveryThread) {
  Items(1, {Signal({"all"})});

  for (const RecordingThread& thread : threads_) EXPECT_EQ(thread.got.size(), 1u);
}

TEST_F(DistributorTest, KeepsWantedTopicsOverStreamsAndReleasesThemSilently) {
  distributor_.Want(1, "user:ann");
  Open(2);
  EXPECT_EQ(link_.hello[0].rooms_size(), 0);
  Items(2, {Signal({"user:ann"})});
  EXPECT_EQ(threads_[1].got.size(), 1u);

  distributor_.Release(1, {"user:ann"}, 0);

  Items(2, {Signal({"user:ann"})});
  EXPECT_EQ(threads_[1].got.size(), 1u);
  EXPECT_THAT(link_.sent, IsEmpty()) << "control learns it with the connection";
}

TEST_F(DistributorTest, IgnoresWhatIsLeftOfAnOldStream) {
  Items(1, {Subscribe(kOnFirst, "room:r")});
  Open(2);
  threads_[1].got.clear();

  Items(1, {Event("room:r", 1)});

  EXPECT_THAT(threads_[1].got, IsEmpty());
  Items(2, {Event("room:r", 1)});
  EXPECT_EQ(threads_[1].got.size(), 1u) << "it was not counted the first time";
}

TEST_F(DistributorTest, IgnoresConnectionsOfThreadsThatDoNotExist) {
  Items(1, {Subscribe(7 << 8 | 3, "room:r"), Result(7 << 8 | 200), Event("room:r", 1)});

  for (const RecordingThread& thread : threads_) EXPECT_THAT(thread.got, IsEmpty());
}

TEST_F(DistributorTest, UnsubscribesWhereTheUserMayBe) {
  Items(1, {Subscribe(kOnFirst, "room:r"), Subscribe(kOnSecond, "room:s")});
  v1::ControlItem item;
  item.mutable_unsubscribe()->set_topic("room:r");
  item.mutable_unsubscribe()->set_user_id("ann");

  Items(1, {item});

  EXPECT_EQ(threads_[0].got.size(), 0u);
  EXPECT_EQ(threads_[1].got.size(), 2u);
  EXPECT_EQ(threads_[2].got.size(), 1u);
}

TEST_F(DistributorTest, ReleasesATopicWhenTheLastThreadLetsGo) {
  Items(1, {Subscribe(kOnFirst, "room:r"), Subscribe(kOnSecond, "room:r")});

  distributor_.Release(1, {"room:r"}, threads_[1].subscribes_seen);
  EXPECT_THAT(link_.sent, IsEmpty());
  distributor_.Release(2, {"room:r"}, threads_[2].subscribes_seen);

  ASSERT_EQ(link_.sent.size(), 1u);
  EXPECT_EQ(link_.sent[0].topic_released().topic(), "room:r");
  EXPECT_EQ(link_.sent[0].topic_released().subscribes_seen(), 2u);
  EXPECT_THAT(link_.sent_on, ElementsAre(1));
}

TEST_F(DistributorTest, CountsSubscribesFromTheStreamsBeginning) {
  Items(1, {Subscribe(kOnFirst, "room:r"), Subscribe(kOnSecond, "room:s")});
  Open(2);
  Items(2, {Subscribe(kOnFirst, "room:t")});

  distributor_.Release(1, {"room:t"}, threads_[1].subscribes_seen);

  ASSERT_EQ(link_.sent.size(), 1u);
  EXPECT_EQ(link_.sent[0].topic_released().subscribes_seen(), 1u);
}

TEST_F(DistributorTest, HoldsOnToATopicThatASubscriberIsOnItsWayTo) {
  Items(1, {Subscribe(kOnFirst, "room:r")});
  const uint64_t seen = threads_[1].subscribes_seen;
  Items(1, {Subscribe(kOnFirst, "room:r")});

  distributor_.Release(1, {"room:r"}, seen);

  EXPECT_THAT(link_.sent, IsEmpty());
  Items(1, {Event("room:r", 1)});
  EXPECT_EQ(threads_[1].got.size(), 3u);
}

TEST_F(DistributorTest, ForgetsTopicsSilentlyWhileThereIsNoStream) {
  Items(1, {Subscribe(kOnFirst, "room:r")});
  distributor_.OnStreamClosed(1);

  distributor_.Release(1, {"room:r"}, threads_[1].subscribes_seen);
  Open(2);

  EXPECT_THAT(link_.sent, IsEmpty());
  EXPECT_EQ(link_.hello[0].rooms_size(), 0);
}

v1::ControlItem Question(uint64_t ticket, const std::string& edge_id, uint64_t epoch) {
  v1::ControlItem item;
  v1::RecoveryQuestion& question = *item.mutable_recovery_question();
  question.set_ticket(ticket);
  question.set_edge_id(edge_id);
  question.set_epoch(epoch);
  question.set_pid("secret");
  return item;
}

v1::LostSession Lost(const std::string& sid) {
  v1::LostSession session;
  session.set_sid(sid);
  return session;
}

TEST_F(DistributorTest, AnswersWhatOtherEdgesAskForWhenItIsFound) {
  std::vector<Distributor::SessionFound> found;
  distributor_.SetRecovery([&](const v1::RecoveryQuestion& asked, Distributor::SessionFound done) {
    EXPECT_EQ(asked.pid(), "secret");
    found.push_back(std::move(done));
  });

  Items(1, {Question(3, "edge-1", 1), Question(4, "edge-1", 1)});
  ASSERT_EQ(found.size(), 2u);
  EXPECT_THAT(link_.sent, IsEmpty());
  found[1](Lost("s"));
  found[0](std::nullopt);

  ASSERT_EQ(link_.sent.size(), 2u);
  EXPECT_EQ(link_.sent[0].recovery_answer().ticket(), 4u);
  EXPECT_EQ(link_.sent[0].recovery_answer().session().sid(), "s");
  EXPECT_EQ(link_.sent[1].recovery_answer().ticket(), 3u);
  EXPECT_FALSE(link_.sent[1].recovery_answer().has_session());
  EXPECT_THAT(link_.sent_on, ElementsAre(1, 1));
  for (const RecordingThread& thread : threads_) EXPECT_THAT(thread.got, IsEmpty());
}

TEST_F(DistributorTest, HasNothingOfAnEarlierEpochNorOfAnotherEdge) {
  distributor_.SetRecovery(
      [&](const v1::RecoveryQuestion&, Distributor::SessionFound done) { done(Lost("s")); });

  Items(1, {Question(3, "edge-1", 0), Question(4, "edge-2", 1), Question(5, "edge-1", 1)});

  ASSERT_EQ(link_.sent.size(), 3u);
  EXPECT_FALSE(link_.sent[0].recovery_answer().has_session());
  EXPECT_FALSE(link_.sent[1].recovery_answer().has_session());
  EXPECT_TRUE(link_.sent[2].recovery_answer().has_session());
}

TEST_F(DistributorTest, TellsNoSessionThatIsTooLarge) {
  distributor_.SetRecovery([&](const v1::RecoveryQuestion&, Distributor::SessionFound done) {
    done(Lost(std::string(RecoveryQuestions::kSessionBytesLimit, 's')));
  });

  Items(1, {Question(3, "edge-1", 1)});

  ASSERT_EQ(link_.sent.size(), 1u);
  EXPECT_EQ(link_.sent[0].recovery_answer().ticket(), 3u);
  EXPECT_FALSE(link_.sent[0].recovery_answer().has_session());
}

TEST_F(DistributorTest, AnswersAlsoWhereNothingIsKept) {
  Items(1, {Question(3, "edge-1", 1)});

  ASSERT_EQ(link_.sent.size(), 1u);
  EXPECT_FALSE(link_.sent[0].recovery_answer().has_session());
}

TEST_F(DistributorTest, HandsAnswersToTheThreadThatAsked) {
  v1::ControlItem item;
  item.mutable_recovery_answer()->set_ticket(9 << 8 | 2);

  Items(1, {item});

  EXPECT_EQ(threads_[2].got.size(), 1u);
  EXPECT_THAT(threads_[0].got, IsEmpty());
  EXPECT_THAT(threads_[1].got, IsEmpty());
}

}  // namespace
}  // namespace confab::edge
