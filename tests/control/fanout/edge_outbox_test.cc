#include "control/fanout/edge_outbox.h"

#include <cstdint>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/recording_edge_stream.h"

namespace confab::control {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Edge {
  explicit Edge(const std::string& id) : attachment(std::make_shared<Attachment>(id, 1, stream)) {}
  std::shared_ptr<RecordingEdgeStream> stream = std::make_shared<RecordingEdgeStream>();
  std::shared_ptr<Attachment> attachment;
};

class EdgeOutboxTest : public testing::Test {
 protected:
  void AddEvent(const Edge& edge, std::int64_t seq) {
    v1::Event& event =
        *outbox_.Add(edge.attachment).mutable_broadcast()->mutable_event()->mutable_event();
    event.set_seq(seq);
    event.mutable_message_posted()->set_content("a text that needs memory of its own");
  }

  EdgeOutbox outbox_;
  Edge one_{"e1"};
  Edge two_{"e2"};
};

TEST_F(EdgeOutboxTest, HandsOverEachEdgesItemsAtTheEndOfATurn) {
  AddEvent(one_, 1);
  AddEvent(two_, 2);
  AddEvent(one_, 3);
  EXPECT_THAT(one_.stream->lines(), IsEmpty());

  outbox_.Flush();

  EXPECT_THAT(one_.stream->lines(), ElementsAre("event 1 a text that needs memory of its own",
                                                "event 3 a text that needs memory of its own"));
  EXPECT_THAT(two_.stream->lines(), ElementsAre("event 2 a text that needs memory of its own"));
  outbox_.Flush();
  EXPECT_EQ(one_.stream->size(), 2u) << "once";
}

TEST_F(EdgeOutboxTest, SendsASubscribeAtOnceBehindWhatWaits) {
  AddEvent(one_, 1);
  v1::Subscribe subscribe;
  subscribe.set_connection(7);
  subscribe.set_topic("room:a");

  EXPECT_EQ(outbox_.SendSubscribe(one_.attachment, subscribe), 1u);
  EXPECT_EQ(outbox_.SendSubscribe(one_.attachment, subscribe), 2u);

  EXPECT_THAT(one_.stream->LinesFrom(1),
              ElementsAre("subscribe 7 room:a 0", "subscribe 7 room:a 0"));
}

TEST_F(EdgeOutboxTest, HandsALongTurnOverInPieces) {
  for (int i = 0; i <= EdgeOutbox::kItemsLimit; ++i) AddEvent(one_, i + 1);

  EXPECT_EQ(one_.stream->size(), static_cast<std::size_t>(EdgeOutbox::kItemsLimit));
  outbox_.Flush();
  EXPECT_EQ(one_.stream->size(), static_cast<std::size_t>(EdgeOutbox::kItemsLimit) + 1);
}

}  // namespace
}  // namespace confab::control
