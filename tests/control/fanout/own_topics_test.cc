#include "control/fanout/own_topics.h"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/recording_edge_stream.h"

namespace confab::control {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Two edges, and what they were sent: the topics of each Broadcast.
class OwnTopicsTest : public testing::Test {
 protected:
  struct Edge {
    explicit Edge(const std::string& id)
        : attachment(std::make_shared<Attachment>(id, 1, stream)) {}
    std::vector<std::string> Told() const {
      std::vector<std::string> told;
      for (const v1::ControlItem& item : stream->items()) {
        std::string topics;
        for (const std::string& topic : item.broadcast().topics()) topics += topic + " ";
        told.push_back(topics + item.broadcast().membership().room_id());
      }
      return told;
    }
    std::shared_ptr<RecordingEdgeStream> stream = std::make_shared<RecordingEdgeStream>();
    std::shared_ptr<Attachment> attachment;
  };

  size_t Tell(const std::vector<std::string>& topics) {
    v1::Broadcast what;
    what.mutable_membership()->set_room_id("r");
    const size_t connections = topics_.Broadcast(topics, what);
    outbox_.Flush();
    return connections;
  }

  EdgeOutbox outbox_;
  OwnTopics topics_{outbox_};
  Edge one_{"e1"};
  Edge two_{"e2"};
};

TEST_F(OwnTopicsTest, TellsOnlyEdgesThatHoldATopic) {
  topics_.Add("user:ann", one_.attachment);
  topics_.Add("user:bob", two_.attachment);

  EXPECT_EQ(Tell({"user:ann"}), 1u);

  EXPECT_THAT(one_.Told(), ElementsAre("user:ann r"));
  EXPECT_THAT(two_.Told(), IsEmpty());
}

TEST_F(OwnTopicsTest, TellsAnEdgeOnceHoweverManyTopicsItHolds) {
  topics_.Add("user:ann", one_.attachment);
  topics_.Add("user:bob", one_.attachment);
  topics_.Add("user:bob", two_.attachment);

  EXPECT_EQ(Tell({"user:ann", "user:bob", "user:eve"}), 3u);

  EXPECT_THAT(one_.Told(), ElementsAre("user:ann user:bob r"));
  EXPECT_THAT(two_.Told(), ElementsAre("user:bob r"));
}

TEST_F(OwnTopicsTest, HoldsATopicUntilItsLastConnectionGoes) {
  topics_.Add("user:ann", one_.attachment);
  topics_.Add("user:ann", one_.attachment);

  topics_.Remove("user:ann", *one_.attachment);
  EXPECT_EQ(Tell({"user:ann"}), 1u);
  topics_.Remove("user:ann", *one_.attachment);

  EXPECT_EQ(Tell({"user:ann"}), 0u);
  EXPECT_EQ(topics_.size(), 0u);
}

TEST_F(OwnTopicsTest, ForgetsAnEdgeThatDetaches) {
  topics_.Add("user:ann", one_.attachment);
  topics_.Add("user:ann", two_.attachment);
  one_.attachment->MarkDetached();

  EXPECT_EQ(Tell({"user:ann"}), 1u) << "not counted from that moment on";
  topics_.Detach(*one_.attachment);
  topics_.Add("user:eve", one_.attachment);

  EXPECT_EQ(topics_.size(), 1u) << "what comes late of a detached edge would stay for ever";
  EXPECT_THAT(one_.Told(), IsEmpty());
}

TEST_F(OwnTopicsTest, TellsASignalToNobodyWhoIsPassedOver) {
  Edge three("e3");
  for (Edge* edge : {&one_, &two_, &three}) topics_.Add("user:ann", edge->attachment);
  v1::Signal signal;
  signal.mutable_read_pointer()->set_room_id("r");

  topics_.Signal("user:ann", signal, {one_.attachment, 7, {two_.attachment}});
  topics_.Signal("user:eve", signal, {});
  outbox_.Flush();

  ASSERT_EQ(one_.stream->size(), 1u);
  EXPECT_EQ(one_.stream->items()[0].broadcast().except_connection(), 7u);
  EXPECT_EQ(two_.stream->size(), 0u);
  ASSERT_EQ(three.stream->size(), 1u);
  EXPECT_EQ(three.stream->items()[0].broadcast().except_connection(), 0u) << "7 is another there";
}

TEST_F(OwnTopicsTest, CutsABroadcastOfManyTopics) {
  std::vector<std::string> topics;
  for (size_t i = 0; i < OwnTopics::kTopicsLimit + 1; ++i) {
    topics.push_back("user:" + std::to_string(i));
    topics_.Add(topics.back(), one_.attachment);
  }

  EXPECT_EQ(Tell(topics), topics.size());

  const auto items = one_.stream->items();
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].broadcast().topics_size(), static_cast<int>(OwnTopics::kTopicsLimit));
  EXPECT_EQ(items[1].broadcast().topics_size(), 1);
  EXPECT_EQ(items[1].broadcast().membership().room_id(), "r");
}

}  // namespace
}  // namespace confab::control
