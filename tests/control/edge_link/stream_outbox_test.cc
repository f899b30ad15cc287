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
  return outbox.Push(BatchOf(absl::MakeSpan(&item, 1)));
}

TEST(StreamOutbox, GivesEverythingInOrder) {
  StreamOutbox outbox;
  StreamWrite write;
  EXPECT_FALSE(outbox.Take(write));
  for (int64_t seq = 1; seq <= 3; ++seq) EXPECT_TRUE(Push(outbox, Event(seq)));

  ASSERT_TRUE(outbox.Take(write));

  ASSERT_EQ(write.response().items_size(), 3);
  EXPECT_EQ(write.response().items(2).broadcast().event().event().seq(), 3);
  EXPECT_EQ(outbox.bytes(), 0u);
  EXPECT_FALSE(outbox.Take(write));
}

// Items of lanes' turns, made where they stand, and single ones between them.
TEST(StreamOutbox, WritesItemsOfSeveralBatchesTogether) {
  StreamOutbox outbox;
  for (int64_t seq = 1; seq <= 9; seq += 3) {
    ItemBatch batch = NewItemBatch();
    *batch->add_items() = Event(seq);
    *batch->add_items() = Event(seq + 1, 300);
    EXPECT_TRUE(outbox.Push(std::move(batch)));
    EXPECT_TRUE(Push(outbox, Event(seq + 2)));
  }
  StreamWrite write;

  ASSERT_TRUE(outbox.Take(write));

  v1::AttachResponse read;
  ASSERT_TRUE(read.ParseFromString(write.response().SerializeAsString()));
  ASSERT_EQ(read.items_size(), 9);
  for (int i = 0; i < 9; ++i) EXPECT_EQ(read.items(i).broadcast().event().event().seq(), i + 1);
  EXPECT_EQ(outbox.bytes(), 0u);
  write.Clear();
  EXPECT_EQ(write.response().items_size(), 0);
}

TEST(StreamOutbox, CutsABatchThatIsMoreThanAWrite) {
  StreamOutbox outbox;
  ItemBatch batch = NewItemBatch();
  for (int64_t seq = 1; seq <= 100; ++seq) *batch->add_items() = Event(seq, 16 * 1024);
  EXPECT_TRUE(outbox.Push(std::move(batch)));
  EXPECT_TRUE(Push(outbox, Event(101)));

  int64_t next = 1;
  int writes = 0;
  for (StreamWrite write; outbox.Take(write); ++writes) {
    EXPECT_LE(write.response().ByteSizeLong(), StreamOutbox::kWriteBytesLimit);
    for (const auto& item : write.response().items()) {
      EXPECT_EQ(item.broadcast().event().event().seq(), next++);
    }
  }
  EXPECT_EQ(next, 102);
  EXPECT_EQ(writes, 4);
  EXPECT_EQ(outbox.bytes(), 0u);
}

// Over its limit a stream ends with a write under way.
TEST(StreamOutbox, KeepsWhatIsBeingWrittenWhenItIsCleared) {
  StreamOutbox outbox;
  ItemBatch batch = NewItemBatch();
  *batch->add_items() = Event(7, 300);
  EXPECT_TRUE(outbox.Push(std::move(batch)));
  StreamWrite write;
  ASSERT_TRUE(outbox.Take(write));

  outbox.Clear();

  EXPECT_EQ(write.response().items(0).broadcast().event().event().message_posted().content(),
            std::string(300, 'x'));
}

TEST(StreamOutbox, BoundsEachWrite) {
  StreamOutbox outbox;
  for (int64_t seq = 1; seq <= 100; ++seq) EXPECT_TRUE(Push(outbox, Event(seq, 16 * 1024)));

  StreamWrite write;
  int64_t next = 1;
  int writes = 0;
  while (outbox.Take(write)) {
    ++writes;
    EXPECT_LE(write.response().ByteSizeLong(), StreamOutbox::kWriteBytesLimit);
    for (const auto& item : write.response().items()) {
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
  StreamWrite write;
  while (outbox.Take(write)) {
    EXPECT_LE(write.response().ByteSizeLong(), StreamOutbox::kWriteBytesLimit);
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

// Turns that say next to nothing: their blocks are more than their items.
TEST(StreamOutbox, SaysWhenTooManyBatchesWait) {
  StreamOutbox outbox;
  for (size_t i = 0; i < StreamOutbox::kBatchesLimit; ++i) {
    ASSERT_TRUE(Push(outbox, v1::ControlItem())) << i;
  }
  ASSERT_LT(outbox.bytes(), StreamOutbox::kBytesLimit);

  EXPECT_FALSE(Push(outbox, v1::ControlItem()));

  outbox.Clear();
  EXPECT_TRUE(Push(outbox, v1::ControlItem()));
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
