#include "control/edge_link/stream_outbox.h"

#include <gtest/gtest.h>

#include "tests/fakes/recording_edge_stream.h"

namespace confab::control {
namespace {

v1::ControlItem Event(int64_t seq, size_t bytes = 10) {
  v1::ControlItem item;
  v1::Event& event = *item.mutable_broadcast()->mutable_event()->mutable_event();
  event.set_seq(seq);
  event.mutable_message_posted()->set_content(std::string(bytes, 'x'));
  return item;
}

bool Push(StreamOutbox& outbox, v1::ControlItem item) {
  return outbox.Push(absl::MakeSpan(&item, 1));
}

TEST(StreamOutbox, GivesEverythingInOrder) {
  StreamOutbox outbox;
  v1::AttachResponse response;
  EXPECT_FALSE(outbox.Take(response));
  for (int64_t seq = 1; seq <= 3; ++seq) EXPECT_TRUE(Push(outbox, Event(seq)));

  ASSERT_TRUE(outbox.Take(response));

  ASSERT_EQ(response.items_size(), 3);
  EXPECT_EQ(response.items(2).broadcast().event().event().seq(), 3);
  EXPECT_EQ(outbox.bytes(), 0u);
  EXPECT_FALSE(outbox.Take(response));
}

TEST(StreamOutbox, BoundsEachWrite) {
  StreamOutbox outbox;
  for (int64_t seq = 1; seq <= 100; ++seq) EXPECT_TRUE(Push(outbox, Event(seq, 16 * 1024)));

  v1::AttachResponse response;
  int64_t next = 1;
  int writes = 0;
  while (outbox.Take(response)) {
    ++writes;
    EXPECT_LE(response.ByteSizeLong(), StreamOutbox::kWriteBytesLimit);
    for (const auto& item : response.items()) {
      EXPECT_EQ(item.broadcast().event().event().seq(), next++);
    }
  }
  EXPECT_EQ(next, 101);
  EXPECT_EQ(writes, 4);
}

// Gives `item` a hundred times; each write keeps to the limit, and each takes more than one.
void ExpectBounded(const v1::ControlItem& item) {
  ASSERT_LT(item.ByteSizeLong(), StreamOutbox::kWriteBytesLimit / 4);
  StreamOutbox outbox;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(Push(outbox, item));
  v1::AttachResponse response;
  while (outbox.Take(response)) {
    EXPECT_LE(response.ByteSizeLong(), StreamOutbox::kWriteBytesLimit);
  }
}

TEST(StreamOutbox, CountsWhateverCanBeLarge) {
  v1::ControlItem mentions = Event(1);
  auto& posted = *mentions.mutable_broadcast()->mutable_event()->mutable_event();
  for (int i = 0; i < 50; ++i) posted.mutable_message_posted()->add_mentions(std::string(128, 'u'));
  ExpectBounded(mentions);

  v1::ControlItem session;
  v1::LostSession& lost = *session.mutable_recovery_answer()->mutable_session();
  for (int i = 0; i < 700; ++i) lost.add_rooms()->set_room_id(std::string(128, 'r'));
  ExpectBounded(session);

  v1::ControlItem update;
  auto& changes = *update.mutable_broadcast()->mutable_event()->mutable_event();
  (*changes.mutable_room_updated()->mutable_metadata())["k"] = std::string(4096, 'v');
  ExpectBounded(update);

  v1::ControlItem rooms;
  for (int i = 0; i < 20; ++i) {
    v1::Room& room = *rooms.mutable_result()->mutable_rooms()->add_rooms();
    (*room.mutable_metadata())["k"] = std::string(4096, 'v');
  }
  ExpectBounded(rooms);

  v1::ControlItem members;
  for (int i = 0; i < 500; ++i) {
    members.mutable_result()->mutable_members()->add_members()->set_user_id(std::string(128, 'u'));
  }
  ExpectBounded(members);
}

TEST(StreamOutbox, SaysWhenTooMuchWaits) {
  StreamOutbox outbox;
  const size_t megabyte = 1024 * 1024;
  for (int64_t seq = 1; seq < 32; ++seq) EXPECT_TRUE(Push(outbox, Event(seq, megabyte)));
  EXPECT_FALSE(Push(outbox, Event(32, megabyte)));
}

TEST(StreamOutbox, NeverEstimatesFarTooLow) {
  v1::ControlItem history;
  for (int i = 0; i < 100; ++i) {
    history.mutable_result()
        ->mutable_history()
        ->add_events()
        ->mutable_message_posted()
        ->set_content(std::string(1000, 'x'));
  }
  StreamOutbox outbox;
  ASSERT_TRUE(Push(outbox, history));
  EXPECT_GE(outbox.bytes(), history.ByteSizeLong());
}

}  // namespace
}  // namespace confab::control
