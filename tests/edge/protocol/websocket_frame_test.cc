#include "edge/protocol/websocket_frame.h"

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

using namespace std::string_literals;

std::string Framed(WebSocketOpcode opcode, size_t payload_bytes) {
  std::string buffer;
  BeginWebSocketFrame(buffer);
  buffer.append(payload_bytes, 'x');
  return std::string(FinishWebSocketFrame(opcode, buffer));
}

// The header in front of `payload_bytes` of x, which must follow it untouched.
std::string Header(WebSocketOpcode opcode, size_t payload_bytes) {
  const std::string frame = Framed(opcode, payload_bytes);
  const size_t header_bytes = frame.size() - payload_bytes;
  EXPECT_EQ(frame.substr(header_bytes), std::string(payload_bytes, 'x'));
  return frame.substr(0, header_bytes);
}

TEST(WebSocketFrame, WritesSmallLengthsInOneByte) {
  EXPECT_EQ(Header(WebSocketOpcode::kText, 0), "\x81\x00"s);
  EXPECT_EQ(Header(WebSocketOpcode::kText, 5), "\x81\x05"s);
  EXPECT_EQ(Header(WebSocketOpcode::kText, 125), "\x81\x7d"s);
}

TEST(WebSocketFrame, WritesMiddleLengthsInTwoBytes) {
  EXPECT_EQ(Header(WebSocketOpcode::kText, 126), "\x81\x7e\x00\x7e"s);
  EXPECT_EQ(Header(WebSocketOpcode::kText, 256), "\x81\x7e\x01\x00"s);
  EXPECT_EQ(Header(WebSocketOpcode::kText, 65'535), "\x81\x7e\xff\xff"s);
}

TEST(WebSocketFrame, WritesLargeLengthsInEightBytes) {
  EXPECT_EQ(Header(WebSocketOpcode::kText, 65'536), "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"s);
}

TEST(WebSocketFrame, WritesTheOpcode) {
  EXPECT_EQ(Header(WebSocketOpcode::kBinary, 1), "\x82\x01"s);
  EXPECT_EQ(Header(WebSocketOpcode::kClose, 2), "\x88\x02"s);
  EXPECT_EQ(Header(WebSocketOpcode::kPing, 0), "\x89\x00"s);
  EXPECT_EQ(Header(WebSocketOpcode::kPong, 0), "\x8a\x00"s);
}

TEST(WebSocketFrame, ReusesItsBuffer) {
  std::string buffer;
  BeginWebSocketFrame(buffer);
  buffer.append(1'000, 'x');
  FinishWebSocketFrame(WebSocketOpcode::kText, buffer);
  const size_t capacity = buffer.capacity();

  BeginWebSocketFrame(buffer);
  buffer.append("hi");

  EXPECT_EQ(FinishWebSocketFrame(WebSocketOpcode::kText, buffer), "\x81\x02hi"s);
  EXPECT_EQ(buffer.capacity(), capacity);
}

}  // namespace
}  // namespace confab::edge
