#include "edge/hub/frame_cache.h"

#include <gtest/gtest.h>

#include "tests/edge/connection/connection_fakes.h"

namespace confab::edge {
namespace {

using tests::NumberEncoder;

v1::RoomEvent Event(int64_t seq, const std::string& room = "r") {
  v1::RoomEvent event;
  event.mutable_event()->set_room_id(room);
  event.mutable_event()->set_seq(seq);
  return event;
}

TEST(FrameCache, EncodesOncePerEncoder) {
  const NumberEncoder first(0);
  const NumberEncoder second(1);
  const v1::RoomEvent event = Event(7);
  FrameCache cache(2);

  cache.Begin(event);
  const char* shared = cache.Get(first).bytes().data();

  EXPECT_EQ(cache.Get(first).bytes(), "0:7");
  EXPECT_EQ(cache.Get(first).bytes().data(), shared);
  EXPECT_EQ(cache.Get(second).bytes(), "1:7");
  EXPECT_EQ(first.encoded, 1);
  EXPECT_EQ(second.encoded, 1);
}

TEST(FrameCache, SaysWhereAnEventCanBeReadAgain) {
  const NumberEncoder encoder(0);
  const v1::RoomEvent event = Event(7);
  FrameCache cache(1);

  cache.Begin(event);

  EXPECT_EQ(cache.Get(encoder).place().key, encoder.KeyOfRoom("r"));
  EXPECT_EQ(cache.Get(encoder).place().seq, 7);
}

TEST(FrameCache, EncodesNothingNobodyReads) {
  const NumberEncoder encoder(0);
  const v1::RoomEvent event = Event(7);
  FrameCache cache(1);

  cache.Begin(event);

  EXPECT_EQ(encoder.encoded, 0);
}

TEST(FrameCache, RemembersThatThereIsNoFrame) {
  const NumberEncoder encoder(0);
  const v1::RoomEvent event = Event(7, "unnamed");
  FrameCache cache(1);

  cache.Begin(event);

  EXPECT_FALSE(cache.Get(encoder));
  EXPECT_FALSE(cache.Get(encoder));
  EXPECT_EQ(encoder.encoded, 1);
}

TEST(FrameCache, ForgetsTheEventBefore) {
  const NumberEncoder encoder(0);
  const v1::RoomEvent first = Event(7);
  const v1::RoomEvent second = Event(8);
  FrameCache cache(1);
  cache.Begin(first);
  const SharedFrame kept = cache.Get(encoder);

  cache.Begin(second);

  EXPECT_EQ(cache.Get(encoder).bytes(), "0:8");
  EXPECT_EQ(kept.bytes(), "0:7") << "waits in an outbox";
}

}  // namespace
}  // namespace confab::edge
