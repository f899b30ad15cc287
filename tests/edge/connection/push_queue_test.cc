#include "edge/connection/push_queue.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>

namespace confab::edge {
namespace {

using std::chrono::steady_clock;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto kNow = steady_clock::time_point() + std::chrono::hours(1);

WaitingPush Push(const std::string& text, PushPriority priority = PushPriority::kNormal,
                 const std::string& key = "") {
  WaitingPush push;
  push.frame = SharedFrame::Copy(text);
  push.priority = priority;
  push.delivery = key.empty() ? DeliveryClass::kDroppable : DeliveryClass::kLatest;
  push.key = key;
  return push;
}

std::vector<std::string> TakeAll(PushQueue& queue, steady_clock::time_point now = kNow) {
  std::vector<std::string> texts;
  while (const auto push = queue.Take(now)) texts.emplace_back(push->frame.bytes());
  return texts;
}

TEST(PushQueue, TakesHighBeforeNormalBeforeLowAndEachInOrder) {
  PushQueue queue;
  queue.Push(Push("low", PushPriority::kLow));
  queue.Push(Push("n1"));
  queue.Push(Push("n2"));
  queue.Push(Push("high", PushPriority::kHigh));
  queue.Release();

  EXPECT_THAT(TakeAll(queue), ElementsAre("high", "n1", "n2", "low"));
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.bytes(), 0u);
}

TEST(PushQueue, GathersLowOnesUntilTheyAreReleased) {
  PushQueue queue;
  queue.Push(Push("l1", PushPriority::kLow));
  queue.Push(Push("l2", PushPriority::kLow));

  EXPECT_THAT(TakeAll(queue), IsEmpty());
  EXPECT_TRUE(queue.has_gathered());
  queue.Release();
  queue.Push(Push("l3", PushPriority::kLow));

  EXPECT_THAT(TakeAll(queue), ElementsAre("l1", "l2"));
  EXPECT_FALSE(queue.empty());
}

TEST(PushQueue, PutsTheNewestLastWhereOrderMatters) {
  PushQueue queue;
  for (const char* text : {"a1", "snapshot", "a2"}) {
    WaitingPush push = Push(text, PushPriority::kNormal, text[0] == 'a' ? "a" : "");
    push.goes_last = true;
    queue.Push(std::move(push));
  }

  EXPECT_THAT(TakeAll(queue), ElementsAre("snapshot", "a2"));
  EXPECT_EQ(queue.bytes(), 0u);
}

TEST(PushQueue, KeepsOfEachKeyTheNewestInThePlaceOfTheFirst) {
  PushQueue queue;
  queue.Push(Push("a1", PushPriority::kNormal, "a"));
  queue.Push(Push("other"));
  queue.Push(Push("b1", PushPriority::kNormal, "b"));
  const std::size_t before = queue.bytes();
  queue.Push(Push("a2 longer", PushPriority::kNormal, "a"));

  EXPECT_EQ(queue.bytes() - before, std::string("a2 longer").size() - std::string("a1").size());
  EXPECT_THAT(TakeAll(queue), ElementsAre("a2 longer", "other", "b1"));
}

TEST(PushQueue, MovesAKeyThatBecomesUrgent) {
  PushQueue queue;
  queue.Push(Push("n"));
  queue.Push(Push("a1", PushPriority::kNormal, "a"));
  queue.Push(Push("a2", PushPriority::kHigh, "a"));

  EXPECT_THAT(TakeAll(queue), ElementsAre("a2", "n"));
}

TEST(PushQueue, ReplacesALowKeyThatWasReleased) {
  PushQueue queue;
  queue.Push(Push("a1", PushPriority::kLow, "a"));
  queue.Release();
  queue.Push(Push("a2", PushPriority::kLow, "a"));

  EXPECT_THAT(TakeAll(queue), ElementsAre("a2"));
  EXPECT_TRUE(queue.empty());
}

TEST(PushQueue, DropsWhatHasExpired) {
  PushQueue queue;
  WaitingPush brief = Push("brief");
  brief.expires_at = kNow;
  queue.Push(brief);
  queue.Push(Push("kept"));

  EXPECT_THAT(TakeAll(queue, kNow - std::chrono::milliseconds(1)), ElementsAre("brief", "kept"));
  queue.Push(brief);
  EXPECT_THAT(TakeAll(queue), IsEmpty());
  EXPECT_EQ(queue.TakeDropped().expired, 1u);
  EXPECT_EQ(queue.TakeDropped().expired, 0u);
}

TEST(PushQueue, OverItsLimitTheOldestDroppableOfTheLowestPriorityGoes) {
  PushQueue queue;
  const std::string quarter(PushQueue::kBytesLimit / 4, 'x');
  queue.Push(Push("1" + quarter.substr(1), PushPriority::kHigh));
  queue.Push(Push("2" + quarter.substr(1), PushPriority::kNormal, "key"));
  queue.Push(Push("3" + quarter.substr(1)));
  queue.Push(Push("4" + quarter.substr(1)));
  queue.Push(Push("5"));

  EXPECT_EQ(queue.TakeDropped().over_limit, 1u);
  std::string heads;
  for (const std::string& text : TakeAll(queue)) heads += text[0];
  EXPECT_EQ(heads, "1245");
}

TEST(PushQueue, OfLowOnesTheNewestStayThoughTheyAreGatheredStill) {
  PushQueue queue;
  const std::string half(PushQueue::kBytesLimit / 2 - 1'000, 'x');
  queue.Push(Push("1" + half.substr(1), PushPriority::kLow));
  queue.Push(Push("2" + half.substr(1), PushPriority::kLow));
  queue.Release();
  queue.Push(Push("3" + half.substr(1), PushPriority::kLow));
  queue.Release();

  std::string heads;
  for (const std::string& text : TakeAll(queue)) heads += text[0];
  EXPECT_EQ(heads, "23");
}

TEST(PushQueue, IsBoundedWhereAKeyGrowsToo) {
  PushQueue queue;
  queue.Push(Push("other"));
  queue.Push(Push("a1", PushPriority::kNormal, "a"));
  queue.Push(Push(std::string(PushQueue::kBytesLimit, 'x'), PushPriority::kNormal, "a"));

  EXPECT_EQ(queue.TakeDropped().over_limit, 1u);
  EXPECT_EQ(TakeAll(queue).size(), 1u);
}

TEST(PushQueue, KeysAndTheMemoryAroundTinyFramesCount) {
  PushQueue queue;
  const std::string key(300, 'k');
  for (int i = 0; i < 1'000; ++i) {
    queue.Push(Push("x", PushPriority::kNormal, key + std::to_string(i)));
  }

  const size_t kept = 1'000 - queue.TakeDropped().over_limit;
  EXPECT_LE(kept * 2 * key.size(), PushQueue::kBytesLimit);
  EXPECT_GT(kept, 200u);
  EXPECT_EQ(TakeAll(queue).size(), kept);
  EXPECT_EQ(queue.bytes(), 0u);
}

}  // namespace
}  // namespace confab::edge
