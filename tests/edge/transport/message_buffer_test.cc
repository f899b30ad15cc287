#include "edge/transport/message_buffer.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

constexpr std::size_t kLimit = 64 * 1024;

// As a socket does it: each read takes what there is room for, but no more than `most`.
struct Reading {
  std::string message;
  int reads = 0;
  int ends = 0;  // Reads that filled less than there was room for.
};

Reading Read(MessageBuffer& buffer, std::string_view text, std::size_t most = kLimit,
             std::size_t limit = kLimit) {
  Reading reading;
  for (;;) {
    ++reading.reads;
    const std::span<char> space = buffer.Space();
    EXPECT_GT(space.size(), 0u);
    const std::size_t n = std::min({space.size(), text.size(), most});
    std::copy_n(text.begin(), n, space.begin());
    text.remove_prefix(n);
    if (text.empty()) {
      reading.message = buffer.Finish(n);
      return reading;
    }
    if (!buffer.Add(n, limit)) ++reading.ends;
  }
}

std::string Text(std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i) text += static_cast<char>('a' + i % 26);
  return text;
}

bool HoldsMemory(MessageBuffer& buffer) {
  buffer.Space();  // The next message may begin.
  return buffer.holds_memory();
}

TEST(MessageBuffer, ReadsMessagesOfEveryLength) {
  for (const std::size_t bytes :
       {0u, 1u, 255u, 256u, 257u, 1023u, 1024u, 1025u, 5'000u, 65'535u, 65'536u}) {
    for (const std::size_t most : {std::size_t{1'500}, std::size_t{700}, kLimit}) {
      MessageBuffer buffer;
      for (int i = 0; i < 4; ++i) EXPECT_EQ(Read(buffer, Text(bytes), most).message, Text(bytes));
    }
  }
}

TEST(MessageBuffer, ReadsWhatDribblesIn) {
  MessageBuffer buffer;

  const Reading reading = Read(buffer, Text(10'000), 3);

  EXPECT_EQ(reading.message, Text(10'000));
  EXPECT_GT(reading.ends, 3'000) << "a flood of fragments is to be noticed";
}

TEST(MessageBuffer, HasNoMemoryForShortMessages) {
  MessageBuffer buffer;

  EXPECT_EQ(Read(buffer, Text(MessageBuffer::kInlineBytes)).reads, 1);
  EXPECT_EQ(Read(buffer, Text(100), 40).reads, 3);

  EXPECT_FALSE(HoldsMemory(buffer));
}

TEST(MessageBuffer, GivesTheMemoryOfOneLongMessageBack) {
  MessageBuffer buffer;

  Read(buffer, Text(300));

  EXPECT_FALSE(HoldsMemory(buffer));
}

TEST(MessageBuffer, ReadsLongMessagesInARowByOneReadEach) {
  MessageBuffer buffer;
  EXPECT_EQ(Read(buffer, Text(300)).reads, 2);
  EXPECT_EQ(Read(buffer, Text(300)).reads, 2);

  EXPECT_EQ(Read(buffer, Text(300)).reads, 1);
  EXPECT_EQ(Read(buffer, Text(40)).reads, 1);
  EXPECT_EQ(Read(buffer, Text(MessageBuffer::kKeptBytes)).reads, 1);

  EXPECT_TRUE(HoldsMemory(buffer));
}

TEST(MessageBuffer, KeepsNoMoreThanAKibibyte) {
  MessageBuffer buffer;
  for (int i = 0; i < 3; ++i) Read(buffer, Text(20'000));

  EXPECT_EQ(buffer.Space().size(), MessageBuffer::kKeptBytes);
}

TEST(MessageBuffer, GivesWhatItKeptBackWithAHeartbeat) {
  MessageBuffer buffer;
  for (int i = 0; i < 3; ++i) Read(buffer, Text(300));

  EXPECT_EQ(Read(buffer, "3").message, "3");
  EXPECT_FALSE(HoldsMemory(buffer));

  for (int i = 0; i < 3; ++i) Read(buffer, Text(300));
  buffer.Space();  // A read is under way.
  buffer.OnHeartbeat();
  EXPECT_TRUE(buffer.holds_memory());
  Read(buffer, Text(10));
  EXPECT_FALSE(HoldsMemory(buffer));
}

TEST(MessageBuffer, TellsFragmentsFromWhatFilledTheRoom) {
  MessageBuffer buffer;
  buffer.Space();
  EXPECT_TRUE(buffer.Add(10, kLimit)) << "the first";
  EXPECT_TRUE(buffer.is_assembling());
  EXPECT_FALSE(buffer.Add(10, kLimit));
  EXPECT_TRUE(buffer.Add(buffer.Space().size(), kLimit));
  buffer.Finish(1);
  EXPECT_FALSE(buffer.is_assembling());
}

TEST(MessageBuffer, TakesNoMoreThanTheLongestMessageNeeds) {
  MessageBuffer buffer;
  std::size_t size = 0;
  for (std::size_t n = buffer.Space().size(); size + n <= 2'000; n = buffer.Space().size()) {
    buffer.Add(n, 2'000);
    size += n;
  }
  EXPECT_EQ(size + buffer.Space().size(), 2'001u);
}

// A socket that was opened with a higher one may send what it might then, and not byte by byte.
TEST(MessageBuffer, TakesFewReadsThoughTheLimitWasLowered) {
  MessageBuffer buffer;

  const Reading reading = Read(buffer, Text(60'000), kLimit, 500);

  EXPECT_EQ(reading.message, Text(60'000));
  EXPECT_LT(reading.reads, 20);
}

TEST(MessageBuffer, IsAsNewWhenCleared) {
  MessageBuffer buffer;
  buffer.Space();
  buffer.Add(256, kLimit);

  buffer.Clear();

  EXPECT_FALSE(buffer.is_assembling());
  EXPECT_FALSE(buffer.holds_memory());
  EXPECT_EQ(buffer.Space().size(), MessageBuffer::kInlineBytes);
}

}  // namespace
}  // namespace confab::edge
