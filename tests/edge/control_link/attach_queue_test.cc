#include "edge/control_link/attach_queue.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "edge/control_link/item_bytes.h"

namespace confab::edge {
namespace {

v1::EdgeItem Post(std::uint64_t request, std::size_t bytes = 10) {
  v1::EdgeItem item;
  item.mutable_command()->set_request(request);
  item.mutable_command()->mutable_post_message()->set_content(std::string(bytes, 'x'));
  return item;
}

TEST(AttachQueue, GivesEverythingInOrder) {
  AttachQueue queue;
  v1::AttachRequest batch;
  EXPECT_FALSE(queue.Take(batch));
  for (std::uint64_t request = 1; request <= 3; ++request) queue.Push(Post(request));

  ASSERT_TRUE(queue.Take(batch));

  ASSERT_EQ(batch.items_size(), 3);
  EXPECT_EQ(batch.items(0).command().request(), 1u);
  EXPECT_EQ(batch.items(2).command().request(), 3u);
  EXPECT_EQ(queue.bytes(), 0u);
  EXPECT_FALSE(queue.Take(batch));
}

TEST(AttachQueue, BoundsEachBatch) {
  AttachQueue queue;
  for (std::uint64_t request = 1; request <= 100; ++request) queue.Push(Post(request, 16 * 1024));

  std::uint64_t next = 1;
  int batches = 0;
  for (v1::AttachRequest batch; queue.Take(batch); batch.Clear()) {
    ++batches;
    EXPECT_LE(batch.ByteSizeLong(), AttachQueue::kBatchBytesLimit);
    for (const v1::EdgeItem& item : batch.items()) EXPECT_EQ(item.command().request(), next++);
  }
  EXPECT_EQ(next, 101u);
  EXPECT_EQ(batches, 4);
}

TEST(AttachQueue, GivesWhatIsLargerThanABatchAlone) {
  AttachQueue queue;
  queue.Push(Post(1));
  queue.Push(Post(2, AttachQueue::kBatchBytesLimit + 1));
  queue.Push(Post(3));

  for (std::uint64_t request = 1; request <= 3; ++request) {
    v1::AttachRequest batch;
    ASSERT_TRUE(queue.Take(batch));
    ASSERT_EQ(batch.items_size(), 1);
    EXPECT_EQ(batch.items(0).command().request(), request);
  }
  EXPECT_EQ(queue.bytes(), 0u);
}

// Whatever of a command can be long, and every other kind of item.
TEST(ItemBytes, AreNeverTooLow) {
  const std::string text(5'000, 'x');
  v1::EdgeItem post = Post(UINT64_MAX);
  v1::Command& command = *post.mutable_command();
  command.set_connection(UINT64_MAX);
  command.set_deadline_ms(UINT32_MAX);
  v1::PostMessage& message = *command.mutable_post_message();
  message.set_room_id(text);
  message.set_content(text);
  message.set_client_msg_id(text);
  message.set_type(text);
  message.set_reply_to(text);
  message.set_body_json(text);
  for (int i = 0; i < 50; ++i) message.add_mentions(text);
  v1::EdgeItem join;
  join.mutable_command()->mutable_join_room()->set_room_id(text);
  v1::EdgeItem opened;
  opened.mutable_connection_opened()->mutable_user()->set_name(text);

  for (const v1::EdgeItem& item : {post, join, opened, v1::EdgeItem()}) {
    EXPECT_GE(BytesOf(item), item.ByteSizeLong());
    EXPECT_GE(BytesOf(item.command()), item.command().ByteSizeLong());
    EXPECT_LE(BytesOf(item), item.ByteSizeLong() + 512);
  }
}

}  // namespace
}  // namespace confab::edge
