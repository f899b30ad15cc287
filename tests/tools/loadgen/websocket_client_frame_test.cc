#include "tools/loadgen/websocket_client_frame.h"

#include <gtest/gtest.h>

namespace confab::loadgen {
namespace {

TEST(ClientFrame, IsMaskedWithItsLength) {
  std::string frame;

  AppendClientFrame(FrameKind::kText, "Hello", 0x37fa213d, frame);

  // The example of RFC 6455, 5.7.
  EXPECT_EQ(frame, std::string("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"));
}

TEST(ClientFrame, HasLongerLengthsFromTheirBoundsOn) {
  const auto head = [](size_t size) {
    std::string frame;
    AppendClientFrame(FrameKind::kBinary, std::string(size, 'x'), 0, frame);
    return frame.size() - size;
  };

  EXPECT_EQ(head(125), 6U);
  EXPECT_EQ(head(126), 8U);
  EXPECT_EQ(head(65'535), 8U);
  EXPECT_EQ(head(65'536), 14U);
}

TEST(ServerFrame, IsCutOffOnceItIsWhole) {
  const std::string bytes("\x81\x02hi\x89\x01!\x81", 8);
  for (size_t size = 0; size < 4; ++size) {
    std::string_view part(bytes.data(), size);
    ServerFrame frame;
    EXPECT_EQ(CutServerFrame(part, frame), FrameCut::kIncomplete);
    EXPECT_EQ(part.size(), size) << "nothing is taken";
  }

  std::string_view rest(bytes);
  ServerFrame frame;
  ASSERT_EQ(CutServerFrame(rest, frame), FrameCut::kWhole);
  EXPECT_EQ(frame.payload, "hi");
  EXPECT_TRUE(frame.is_final);
  ASSERT_EQ(CutServerFrame(rest, frame), FrameCut::kWhole);
  EXPECT_EQ(frame.kind, FrameKind::kPing);
  EXPECT_EQ(CutServerFrame(rest, frame), FrameCut::kIncomplete);
  EXPECT_EQ(rest.size(), 1U);
}

TEST(ServerFrame, MayBeLong) {
  const std::string payload(70'000, 'y');
  std::string bytes("\x82\x7f\0\0\0\0\0\x01\x11\x70", 10);
  bytes += payload;
  std::string_view rest(bytes);
  ServerFrame frame;

  ASSERT_EQ(CutServerFrame(rest, frame), FrameCut::kWhole);

  EXPECT_EQ(frame.payload, payload);
  EXPECT_TRUE(rest.empty());
}

TEST(ServerFrame, IsBrokenIfMaskedCompressedOrEndless) {
  for (const std::string_view bytes :
       {std::string_view("\x81\x82....hi", 8), std::string_view("\xc1\x02hi", 4),
        std::string_view("\x81\x7f\x7f\0\0\0\0\0\0\0", 10)}) {
    std::string_view rest = bytes;
    ServerFrame frame;
    EXPECT_EQ(CutServerFrame(rest, frame), FrameCut::kBroken);
  }
}

}  // namespace
}  // namespace confab::loadgen
