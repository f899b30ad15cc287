#include "tests/bench/edge_samples.h"

namespace confab::edge {

namespace {

constexpr const char* kRoom = "room-1";
constexpr const char* kMessage = "0199f3c1-aaaa-7bbb-8ccc-dddddddddddd";
constexpr std::int64_t kSeq = 123'456;
constexpr std::int64_t kSecond = 1'795'244'645;

std::string Content() { return std::string(200, 'x'); }

void Fill(v1::PostMessage& post) {
  post.set_room_id(kRoom);
  post.set_content(Content());
  post.set_client_msg_id("c-1234567890");
}

}  // namespace

std::string SampleSend() {
  return R"(4217["sendMessage",{"roomId":"room-1","content":")" + Content() +
         R"(","clientMsgId":"c-1234567890"}])";
}

v1::Command SampleCommand() {
  v1::Command command;
  command.set_connection(kSampleConnection);
  Fill(*command.mutable_post_message());
  return command;
}

v1::ClientFrame SampleClientFrame() {
  v1::ClientFrame frame;
  frame.set_request(kSampleReply);
  Fill(*frame.mutable_post_message());
  return frame;
}

v1::Result SampleResult() {
  v1::Result result;
  result.set_connection(kSampleConnection);
  v1::PostMessageResult& posted = *result.mutable_post_message();
  posted.set_message_id(kMessage);
  posted.set_seq(kSeq);
  posted.mutable_created_at()->set_seconds(kSecond);
  return result;
}

v1::RoomEvent SampleEvent() {
  v1::RoomEvent told;
  told.set_actor_email("ann@example.org");
  v1::Event& event = *told.mutable_event();
  event.set_room_id(kRoom);
  event.set_seq(kSeq);
  event.mutable_created_at()->set_seconds(kSecond);
  event.mutable_actor()->set_id("0199f3c1-aaaa-7bbb-8ccc-000000000001");
  event.mutable_actor()->set_name("Ann Example");
  v1::MessagePosted& message = *event.mutable_message_posted();
  message.set_message_id(kMessage);
  message.set_client_msg_id("c-1234567890");
  message.set_type("text");
  message.set_content(Content());
  return told;
}

}  // namespace confab::edge
