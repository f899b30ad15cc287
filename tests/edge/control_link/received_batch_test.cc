#include "edge/control_link/received_batch.h"

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

v1::AttachResponse Sample(int items) {
  v1::AttachResponse batch;
  for (int i = 0; i < items; ++i) {
    v1::Broadcast& broadcast = *batch.add_items()->mutable_broadcast();
    broadcast.add_topics("room:of-a-long-name");
    v1::Event& event = *broadcast.mutable_event()->mutable_event();
    event.set_seq(i + 1);
    event.mutable_message_posted()->set_content(std::string(300, 'x'));
    batch.add_items()->mutable_result()->set_request(static_cast<std::uint64_t>(i));
  }
  return batch;
}

TEST(ReceivedBatch, HoldsWhatIsParsedIntoIt) {
  for (const int items : {0, 1, 500}) {
    const v1::AttachResponse sample = Sample(items);
    const std::shared_ptr<v1::AttachResponse> batch = MakeReceivedBatch();

    ASSERT_TRUE(batch->ParseFromString(sample.SerializeAsString()));

    EXPECT_EQ(batch->SerializeAsString(), sample.SerializeAsString());
  }
}

// Made by one of gRPC's threads, filled by another, kept by an io thread longer than by them.
TEST(ReceivedBatch, LivesAsLongAsSomebodyHoldsIt) {
  std::shared_ptr<v1::AttachResponse> batch;
  std::thread([&batch] { batch = MakeReceivedBatch(); }).join();
  std::thread([&batch] {
    ASSERT_TRUE(batch->ParseFromString(Sample(50).SerializeAsString()));
  }).join();

  std::shared_ptr<const v1::AttachResponse> kept = batch;
  batch.reset();

  std::string content;
  std::thread([&content, kept = std::move(kept)] {
    content = kept->items(98).broadcast().event().event().message_posted().content();
  }).join();
  EXPECT_EQ(content, std::string(300, 'x'));
}

}  // namespace
}  // namespace confab::edge
