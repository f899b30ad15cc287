#include "edge/http_api/http_path.h"

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

TEST(HttpPath, DecodesWhatMayStandInASegment) {
  EXPECT_EQ(DecodePathSegment("room-1"), "room-1");
  EXPECT_EQ(DecodePathSegment("a%2Fb"), "a/b");
  EXPECT_EQ(DecodePathSegment("%ed%95%9c+%20"), "\xed\x95\x9c+ ");
  EXPECT_EQ(DecodePathSegment("%00"), std::string(1, '\0'));
}

TEST(HttpPath, RefusesBrokenEscapes) {
  for (const char* broken : {"%", "a%", "a%2", "%zz", "%2g", "%%20"}) {
    EXPECT_EQ(DecodePathSegment(broken), std::nullopt) << broken;
  }
}

TEST(HttpPath, EncodesWhatItDecodes) {
  const std::string id = "chat/\xed\x95\x9c 42?#%";
  EXPECT_EQ(DecodePathSegment(EncodePathSegment(id)), id);
  EXPECT_EQ(EncodePathSegment("a-b_c.d~9"), "a-b_c.d~9");
  EXPECT_EQ(EncodePathSegment("\r\n/"), "%0D%0A%2F");
}

TEST(HttpPath, AnswersUnderVersionOneAndWithoutIt) {
  EXPECT_EQ(PathBehindVersion("/v1/rooms"), "/rooms");
  EXPECT_EQ(PathBehindVersion("/rooms"), "/rooms");
  EXPECT_EQ(PathBehindVersion("/rooms/"), "/rooms");
  EXPECT_EQ(PathBehindVersion("/v10/rooms"), "/v10/rooms");
  EXPECT_EQ(PathBehindVersion("/v1"), "/v1");
  EXPECT_EQ(PathBehindVersion("/"), "/");
}

TEST(HttpPath, MatchesSegmentBySegment) {
  PathSegments segments;
  EXPECT_TRUE(MatchPath("/rooms/{roomId}/join", "/rooms/a%2Fb/join", segments));
  EXPECT_EQ(segments[0], "a%2Fb");
  EXPECT_TRUE(MatchPath("/rooms/{roomId}/messages/{messageId}", "/rooms/1/messages/m", segments));
  EXPECT_EQ(segments[0], "1");
  EXPECT_EQ(segments[1], "m");
  EXPECT_FALSE(MatchPath("/rooms/{roomId}/messages/{messageId}", "/rooms/1/messages/", segments));
  EXPECT_TRUE(MatchPath("/rooms", "/rooms", segments));
  for (const char* path : {"/rooms//join", "/rooms/a/b/join", "/rooms/a/join/", "/rooms/a",
                           "rooms/a/join", "/Rooms/a/join", "", "/", "http://h/rooms/a/join"}) {
    EXPECT_FALSE(MatchPath("/rooms/{roomId}/join", path, segments)) << path;
  }
}

}  // namespace
}  // namespace confab::edge
