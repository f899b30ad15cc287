#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/edge_fixture.h"

namespace confab::tests {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

// Packets with attachments, which no chat command takes.
using EdgeBinary = EdgeTest;

constexpr char kOne[] = R"({"_placeholder":true,"num":0})";

TEST_F(EdgeBinary, IsRefusedOnTheEventThatCarriesIt) {
  StartEdge();
  WsClient client = OpenSocketIo("alice");

  client.SendText(std::string(R"(451-7["sendMessage",{"roomId":"1","content":)") + kOne + "}]");
  client.SendBinary("bytes");
  EXPECT_THAT(client.Read().value_or(""),
              AllOf(StartsWith("437[{\"ok\":false"), HasSubstr("BAD_REQUEST"),
                    HasSubstr("sendMessage takes no binary")));

  client.SendText(std::string(R"(451-["sendMessage",{"roomId":"1","content":"x"},)") + kOne + "]");
  client.SendBinary("");
  EXPECT_THAT(client.Read().value_or(""), AllOf(StartsWith("42[\"error\""), HasSubstr("binary")));
}

TEST_F(EdgeBinary, ReadsAnEventWithoutAttachmentsLikeAnyOther) {
  StartEdge();
  control_->AddMember("1", "alice");
  WsClient client = OpenSocketIo("alice");

  client.SendText(R"(450-7["joinRoom",{"roomId":"1"}])");

  EXPECT_THAT(client.Read().value_or(""), StartsWith("437[{\"ok\":true"));
}

TEST_F(EdgeBinary, IsIgnoredInAnAckNobodyAskedFor) {
  StartEdge();
  WsClient client = OpenSocketIo("alice");

  client.SendText(std::string("461-7[") + kOne + "]");
  client.SendBinary("bytes");
  client.SendText("438[]");
  client.SendText("43[\"without an id\"]");

  EXPECT_THAT(Ask(client, 1, "nothing", "{}"), HasSubstr("UNKNOWN_COMMAND"));
}

TEST_F(EdgeBinary, ClosesOnBinaryThatIsNotDue) {
  StartEdge();
  WsClient client = OpenSocketIo("alice");

  client.SendBinary("bytes");

  EXPECT_EQ(client.ReadClose(), 4400);
}

TEST_F(EdgeBinary, ClosesOnTextWhileAttachmentsAreDue) {
  StartEdge();
  WsClient client = OpenSocketIo("alice");

  client.SendText(std::string(R"(452-["x",)") + kOne + "]");
  client.SendBinary("bytes");
  client.SendText(R"(42["x"])");

  EXPECT_EQ(client.ReadClose(), 4400);
}

TEST_F(EdgeBinary, LetsHeartbeatsPassWhileAttachmentsAreDue) {
  config_.ping_interval = absl::Milliseconds(300);
  StartEdge();
  WsClient client = OpenSocketIo("alice");

  client.SendText(std::string(R"(451-7["x",)") + kOne + "]");
  EXPECT_EQ(client.Read(), "2");
  client.SendText("3");
  client.SendBinary("bytes");

  EXPECT_THAT(client.ReadUntil("437[").value_or(""), HasSubstr("UNKNOWN_COMMAND"));
}

TEST_F(EdgeBinary, BoundsHeaderAndAttachmentsLikeOneMessage) {
  StartEdge();
  const std::string header = std::string(R"(452-7["x",)") + kOne + "]";
  WsClient client = OpenSocketIo("alice");
  client.SendText(header);
  client.SendBinary(std::string(40'000, 'b'));
  client.SendBinary(std::string(65'536 - 40'000 - header.size(), 'b'));
  EXPECT_THAT(client.Read().value_or(""), StartsWith("437["));

  client.SendText(header);
  client.SendBinary(std::string(40'000, 'b'));
  client.SendBinary(std::string(40'000, 'b'));

  EXPECT_EQ(client.ReadClose(), 1009);
}

TEST_F(EdgeBinary, EndsAWaitForAttachmentsThatNeverCome) {
  config_.message_time_limit = absl::Seconds(1);
  StartEdge();
  WsClient client = OpenSocketIo("alice");

  client.SendText(std::string(R"(452-["x",)") + kOne + "]");
  client.SendBinary("one of two");

  EXPECT_EQ(client.ReadClose(), 4400);
}

TEST_F(EdgeBinary, RefusesAnEventNameThatIsTooLong) {
  StartEdge();
  WsClient client = OpenSocketIo("alice");

  EXPECT_THAT(Ask(client, 1, std::string(64, 'n'), "{}"), HasSubstr("UNKNOWN_COMMAND"));
  EXPECT_THAT(Ask(client, 2, std::string(65, 'n'), "{}"),
              AllOf(HasSubstr("BAD_REQUEST"), HasSubstr("64 bytes")));
}

}  // namespace
}  // namespace confab::tests
