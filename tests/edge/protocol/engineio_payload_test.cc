#include "edge/protocol/engineio_payload.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "edge/protocol/websocket_frame.h"

namespace confab::edge {
namespace {

using testing::ElementsAre;

std::vector<std::string> PacketsOf(std::string_view payload) {
  std::vector<std::string> packets;
  PayloadReader reader(payload);
  while (const auto packet = reader.Next()) packets.emplace_back(*packet);
  return packets;
}

std::string Frame(WebSocketOpcode opcode, std::string_view payload) {
  std::string buffer;
  BeginWebSocketFrame(buffer);
  buffer += payload;
  return std::string(FinishWebSocketFrame(opcode, buffer));
}

TEST(EngineIoPayload, SplitsAtSeparators) {
  EXPECT_THAT(PacketsOf("4hello"), ElementsAre("4hello"));
  EXPECT_THAT(PacketsOf("4a\x1e"
                        "2\x1e"
                        "bAQIDBA=="),
              ElementsAre("4a", "2", "bAQIDBA=="));
}

TEST(EngineIoPayload, ShowsEmptyPackets) {
  EXPECT_THAT(PacketsOf(""), ElementsAre(""));
  EXPECT_THAT(PacketsOf("4a\x1e"), ElementsAre("4a", ""));
  EXPECT_THAT(PacketsOf("\x1e\x1e"), ElementsAre("", "", ""));
}

TEST(EngineIoPayload, JoinsFramesOfEverySize) {
  std::string payload;
  std::vector<std::string> texts;
  for (const std::size_t size : {1U, 125U, 126U, 65'535U, 65'536U}) {
    texts.push_back("4" + std::string(size - 1, 'x'));
    const std::string frame = Frame(WebSocketOpcode::kText, texts.back());
    EXPECT_EQ(PolledBytes(frame), size);
    AppendPolled(frame, payload);
  }

  EXPECT_EQ(PacketsOf(payload), texts);
}

TEST(EngineIoPayload, WritesBinaryInBase64WithoutATypeDigit) {
  for (const auto& [bytes, packet] :
       std::vector<std::pair<std::string, std::string>>{{std::string("\1\2\3\4"), "bAQIDBA=="},
                                                        {"", "b"},
                                                        {"abc", "bYWJj"},
                                                        {"\xff\xfe", "b//4="}}) {
    const std::string frame = Frame(WebSocketOpcode::kBinary, bytes);
    std::string payload;
    AppendPolled(frame, payload);

    EXPECT_EQ(payload, packet);
    EXPECT_EQ(PolledBytes(frame), packet.size());
    EXPECT_EQ(DecodeBase64Packet(packet), bytes);
  }
}

TEST(EngineIoPayload, TakesApartFramesThatBelongTogether) {
  const std::string both = Frame(WebSocketOpcode::kText, "451-[\"x\",{}]") +
                           Frame(WebSocketOpcode::kBinary, std::string(200, 'a'));
  std::string payload = "2";
  AppendPolled(both, payload);

  const auto packets = PacketsOf(payload);
  ASSERT_EQ(packets.size(), 3u);
  EXPECT_EQ(packets[1], "451-[\"x\",{}]");
  EXPECT_EQ(DecodeBase64Packet(packets[2]), std::string(200, 'a'));
  EXPECT_EQ(PolledBytes(both), payload.size() - 2);
}

TEST(EngineIoPayload, RefusesWhatIsNoBase64) {
  for (const char* packet : {"b!", "bA", "bAQ=A", "bAQIDBA==A"}) {
    EXPECT_EQ(DecodeBase64Packet(packet), std::nullopt) << packet;
  }
}

}  // namespace
}  // namespace confab::edge
