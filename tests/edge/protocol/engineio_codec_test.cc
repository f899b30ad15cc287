#include "edge/protocol/engineio_codec.h"

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

TEST(EngineIoCodec, SplitsTypeAndBody) {
  const auto packet = DecodeEngineIo("42[\"a\"]");

  ASSERT_TRUE(packet.ok());
  EXPECT_EQ(packet->type, EngineIoType::kMessage);
  EXPECT_EQ(packet->body, "2[\"a\"]");
}

TEST(EngineIoCodec, KnowsEveryType) {
  const EngineIoType types[] = {EngineIoType::kOpen, EngineIoType::kClose,   EngineIoType::kPing,
                                EngineIoType::kPong, EngineIoType::kMessage, EngineIoType::kUpgrade,
                                EngineIoType::kNoop};
  for (size_t i = 0; i < std::size(types); ++i) {
    const auto packet = DecodeEngineIo(std::to_string(i));

    ASSERT_TRUE(packet.ok()) << i;
    EXPECT_EQ(packet->type, types[i]);
    EXPECT_EQ(packet->body, "");
  }
}

TEST(EngineIoCodec, KeepsTheBodyOfAProbe) {
  const auto packet = DecodeEngineIo("2probe");

  ASSERT_TRUE(packet.ok());
  EXPECT_EQ(packet->type, EngineIoType::kPing);
  EXPECT_EQ(packet->body, "probe");
}

TEST(EngineIoCodec, RefusesWhatIsNoPacket) {
  for (const std::string_view frame : {"", "7", "a", "/", ":", " 4", "bAQID", "\xff", "-4"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(DecodeEngineIo(frame).status())) << frame;
  }
}

TEST(EngineIoCodec, RefusesANulByte) {
  EXPECT_FALSE(DecodeEngineIo(std::string_view("\0", 1)).ok());
}

TEST(EngineIoCodec, WritesExactlyTheKeysOfAnOpenPacket) {
  const EngineIoOpen open{"AbC-_123", 25'000, 20'000, 65'536};

  EXPECT_EQ(EncodeEngineIoOpen(open),
            R"(0{"sid":"AbC-_123","upgrades":[],"pingInterval":25000,"pingTimeout":20000,)"
            R"("maxPayload":65536})");
}

}  // namespace
}  // namespace confab::edge
