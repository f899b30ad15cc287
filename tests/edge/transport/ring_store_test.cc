#include "edge/transport/ring_store.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "edge/transport/outbox.h"

namespace confab::edge {
namespace {

TEST(RingStore, GivesAgainWhatCameBack) {
  std::uintptr_t* const ring = RingStore::Take();
  const std::size_t before = RingStore::kept();

  RingStore::GiveBack(ring);

  EXPECT_EQ(RingStore::kept(), before + 1);
  EXPECT_EQ(RingStore::Take(), ring);
  RingStore::GiveBack(ring);
}

TEST(RingStore, KeepsNoMoreThanItsLimit) {
  std::vector<std::uintptr_t*> taken;
  for (std::size_t i = 0; i < RingStore::kKeptLimit + 10; ++i) taken.push_back(RingStore::Take());

  for (std::uintptr_t* ring : taken) RingStore::GiveBack(ring);

  EXPECT_EQ(RingStore::kept(), RingStore::kKeptLimit);
}

TEST(RingStore, TakesBackTheRingOfAnotherThread) {
  std::uintptr_t* ring = nullptr;
  std::thread([&ring] { ring = RingStore::Take(); }).join();
  while (RingStore::kept() > 0) delete[] RingStore::Take();

  RingStore::GiveBack(ring);

  EXPECT_EQ(RingStore::kept(), 1u);
}

// Whatever an outbox has grown to, it comes out as it went in and leaves nothing behind.
TEST(RingStore, ServesOutboxesOfEveryLength) {
  for (const std::size_t frames : {3u, 4u, 32u, 33u, 200u}) {
    const std::ptrdiff_t before = SharedFrame::BytesAlive();
    for (int round = 0; round < 3; ++round) {
      Outbox outbox;
      std::string expected;
      for (std::size_t i = 0; i < frames; ++i) {
        const std::string text = std::to_string(i) + ' ';
        ASSERT_TRUE(outbox.AppendBytes(text, DeliveryClass::kControl));
        expected += text;
      }
      std::string got(outbox.bytes(), '\0');
      outbox.CopyTo(got);
      EXPECT_EQ(got, expected);
      // Down to what the outbox holds by itself, up again, and all.
      while (outbox.frames() > 2) outbox.TakeFront();
      outbox.DropWhatMayGo([](FramePlace, DeliveryClass) {});
      for (std::size_t i = 0; i < frames; ++i) {
        ASSERT_TRUE(outbox.AppendBytes("x", DeliveryClass::kDroppable));
      }
      EXPECT_EQ(outbox.frames(), frames + 2);
      outbox.Consume(outbox.bytes());
      EXPECT_TRUE(outbox.empty());
    }
    EXPECT_EQ(SharedFrame::BytesAlive(), before);
  }
}

}  // namespace
}  // namespace confab::edge
