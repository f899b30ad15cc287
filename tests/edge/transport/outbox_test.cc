#include "edge/transport/outbox.h"

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

constexpr DeliveryClass kLogged = DeliveryClass::kLogged;

std::string Content(const Outbox& outbox) {
  std::string content(outbox.bytes(), '\0');
  EXPECT_EQ(outbox.CopyTo(content), content.size());
  return content;
}

TEST(Outbox, IsEmptyAtFirst) {
  const Outbox outbox;

  EXPECT_TRUE(outbox.empty());
  EXPECT_EQ(outbox.bytes(), 0u);
  EXPECT_EQ(outbox.bytes_limit(), Outbox::kBytesLimit);
}

TEST(Outbox, KeepsTheOrderOfSharedAndOwnBytes) {
  Outbox outbox;

  ASSERT_TRUE(outbox.Append(SharedFrame::Copy("one "), kLogged));
  ASSERT_TRUE(outbox.AppendBytes("two ", DeliveryClass::kControl));
  ASSERT_TRUE(outbox.Append(SharedFrame::Copy("three"), DeliveryClass::kDroppable));

  EXPECT_EQ(Content(outbox), "one two three");
  EXPECT_EQ(outbox.frames(), 3u);
}

TEST(Outbox, QueuesAFrameWithoutCopyingIt) {
  const SharedFrame frame = SharedFrame::Copy("shared");
  Outbox outbox;

  ASSERT_TRUE(outbox.Append(frame, kLogged));

  std::array<iovec, 1> parts;
  ASSERT_EQ(outbox.Peek(parts), 1u);
  EXPECT_EQ(parts[0].iov_base, frame.bytes().data());
  EXPECT_EQ(parts[0].iov_len, 6u);
}

TEST(Outbox, FillsOnlyThePartsItIsGiven) {
  Outbox outbox;
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(outbox.AppendBytes("x", kLogged));
  std::array<iovec, 3> three;
  std::array<iovec, 9> nine;

  EXPECT_EQ(outbox.Peek(three), 3u);
  EXPECT_EQ(outbox.Peek(nine), 5u);
  EXPECT_EQ(outbox.frames(), 5u);
}

TEST(Outbox, CopiesWhatFits) {
  Outbox outbox;
  ASSERT_TRUE(outbox.AppendBytes("abc", kLogged));
  ASSERT_TRUE(outbox.AppendBytes("def", kLogged));
  std::array<char, 4> buffer;

  ASSERT_EQ(outbox.CopyTo(buffer), 4u);

  EXPECT_EQ(std::string(buffer.data(), 4), "abcd");
  EXPECT_EQ(outbox.bytes(), 6u);
}

TEST(Outbox, GoesOnInTheMiddleOfAFrameAfterAShortWrite) {
  Outbox outbox;
  ASSERT_TRUE(outbox.AppendBytes("abc", kLogged));
  ASSERT_TRUE(outbox.AppendBytes("defg", kLogged));

  outbox.Consume(4);

  EXPECT_EQ(Content(outbox), "efg");
  EXPECT_EQ(outbox.frames(), 1u);
  std::array<iovec, 2> parts;
  ASSERT_EQ(outbox.Peek(parts), 1u);
  EXPECT_EQ(std::string(static_cast<char*>(parts[0].iov_base), parts[0].iov_len), "efg");

  outbox.Consume(1);
  EXPECT_EQ(Content(outbox), "fg");
}

TEST(Outbox, DeliversEveryByteInOrderWhateverTheWritesTake) {
  for (const size_t write : {1u, 2u, 3u, 7u, 64u, 1'000u}) {
    Outbox outbox;
    std::string sent;
    std::string expected;
    int next = 0;
    // Grows, shrinks and wraps around: three frames in, about two out.
    while (expected.size() < 4'000 || !outbox.empty()) {
      for (int i = 0; i < 3 && expected.size() < 4'000; ++i) {
        const std::string frame = std::to_string(next++) + ",";
        ASSERT_TRUE(outbox.AppendBytes(frame, kLogged));
        expected += frame;
      }
      std::vector<char> buffer(write);
      const size_t taken = outbox.CopyTo(buffer);
      sent.append(buffer.data(), taken);
      outbox.Consume(taken);
    }
    EXPECT_EQ(sent, expected) << "writes of " << write;
  }
}

TEST(Outbox, RefusesWhatExceedsTheLimit) {
  Outbox outbox(10);
  ASSERT_TRUE(outbox.AppendBytes("12345678", kLogged));

  EXPECT_FALSE(outbox.AppendBytes("123", kLogged));
  EXPECT_FALSE(outbox.Append(SharedFrame::Copy("123"), kLogged));

  EXPECT_EQ(Content(outbox), "12345678");
  EXPECT_TRUE(outbox.AppendBytes("12", kLogged));
}

TEST(Outbox, HasRoomAgainForWhatWasSent) {
  Outbox outbox(10);
  ASSERT_TRUE(outbox.AppendBytes("1234567890", kLogged));

  outbox.Consume(4);

  EXPECT_TRUE(outbox.AppendBytes("1234", kLogged));
  EXPECT_FALSE(outbox.AppendBytes("1", kLogged));
}

TEST(Outbox, TakesOneFrameAboveTheLimitWhenEmpty) {
  Outbox outbox(10);

  EXPECT_TRUE(outbox.AppendBytes("123456789012345", kLogged));

  EXPECT_FALSE(outbox.AppendBytes("1", kLogged));
}

TEST(Outbox, CountsTinyFramesToo) {
  Outbox outbox;
  const SharedFrame tiny = SharedFrame::Copy("x");
  for (size_t i = 0; i < Outbox::kFramesLimit; ++i) ASSERT_TRUE(outbox.Append(tiny, kLogged));

  EXPECT_FALSE(outbox.Append(tiny, kLogged));
}

TEST(Outbox, QueuesNothingForAnEmptyFrame) {
  Outbox outbox;

  EXPECT_TRUE(outbox.AppendBytes("", kLogged));
  EXPECT_TRUE(outbox.Append(SharedFrame(), kLogged));

  EXPECT_TRUE(outbox.empty());
}

TEST(Outbox, KeepsOnlyTheRestOfAFrameThatIsHalfSentWhenDropping) {
  Outbox outbox;
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(outbox.AppendBytes("abc", kLogged));
  outbox.Consume(4);

  outbox.DropUnsent();

  EXPECT_EQ(Content(outbox), "bc");
  EXPECT_EQ(outbox.frames(), 1u);
  ASSERT_TRUE(outbox.AppendBytes("close", DeliveryClass::kControl));
  EXPECT_EQ(Content(outbox), "bcclose");
}

TEST(Outbox, DropsEverythingWhenNoFrameIsHalfSent) {
  Outbox outbox;
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(outbox.AppendBytes("abc", kLogged));
  outbox.Consume(3);

  outbox.DropUnsent();

  EXPECT_TRUE(outbox.empty());
  EXPECT_EQ(outbox.bytes(), 0u);
}

SharedFrame Placed(const std::string& text, std::uint64_t key, std::int64_t seq) {
  SharedFrame frame = SharedFrame::Copy(text);
  frame.SetPlace({.key = key, .seq = seq});
  return frame;
}

TEST(Outbox, DropsWhatCanBeReadAgainOrMayBeLostAndKeepsTheOrderOfTheRest) {
  Outbox outbox;
  ASSERT_TRUE(outbox.Append(Placed("log1 ", 7, 1), kLogged));
  ASSERT_TRUE(outbox.AppendBytes("ack ", DeliveryClass::kControl));
  ASSERT_TRUE(outbox.AppendBytes("typing ", DeliveryClass::kDroppable));
  ASSERT_TRUE(outbox.Append(Placed("log2 ", 7, 2), kLogged));
  ASSERT_TRUE(outbox.AppendBytes("presence ", DeliveryClass::kLatest));
  ASSERT_TRUE(outbox.AppendBytes("placeless ", kLogged));
  ASSERT_TRUE(outbox.AppendBytes("pong", DeliveryClass::kControl));

  std::vector<std::string> dropped;
  outbox.DropWhatMayGo([&](FramePlace place, DeliveryClass delivery) {
    dropped.push_back(std::to_string(place.key) + ":" + std::to_string(place.seq) + ":" +
                      std::to_string(static_cast<int>(delivery)));
  });

  EXPECT_EQ(dropped, (std::vector<std::string>{"7:1:1", "0:0:3", "7:2:1"}));
  EXPECT_EQ(Content(outbox), "ack presence placeless pong");
  EXPECT_EQ(outbox.frames(), 4u);
}

TEST(Outbox, KeepsAFrameThatIsHalfSentWhateverItIs) {
  Outbox outbox;
  for (std::int64_t seq = 1; seq <= 20; ++seq) {
    ASSERT_TRUE(outbox.Append(Placed("abc", 7, seq), kLogged));
  }
  outbox.Consume(4);

  std::vector<std::int64_t> dropped;
  outbox.DropWhatMayGo([&](FramePlace place, DeliveryClass) { dropped.push_back(place.seq); });

  EXPECT_EQ(Content(outbox), "bc");
  ASSERT_EQ(dropped.size(), 18u);
  EXPECT_EQ(dropped.front(), 3);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(outbox.AppendBytes("d", kLogged));
  EXPECT_EQ(Content(outbox), "bc" + std::string(20, 'd'));
}

TEST(Outbox, TakesWithoutAskingOnlyUpToHalfOfItsLimit) {
  Outbox outbox(10);

  EXPECT_TRUE(outbox.TryAppend(SharedFrame::Copy("12345"), kLogged));
  EXPECT_FALSE(outbox.TryAppend(SharedFrame::Copy("6"), kLogged));
  EXPECT_TRUE(outbox.TryAppend(SharedFrame(), kLogged));

  EXPECT_EQ(Content(outbox), "12345");
  EXPECT_EQ(outbox.frames(), 1u);
}

TEST(Outbox, ForgetsEverythingWhenCleared) {
  Outbox outbox;
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(outbox.AppendBytes("abc", kLogged));
  outbox.Consume(1);

  outbox.Clear();

  EXPECT_TRUE(outbox.empty());
  EXPECT_EQ(outbox.bytes(), 0u);
  ASSERT_TRUE(outbox.AppendBytes("new", kLogged));
  EXPECT_EQ(Content(outbox), "new");
}

}  // namespace
}  // namespace confab::edge
