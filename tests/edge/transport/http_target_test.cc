#include "edge/transport/http_target.h"

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

TEST(HttpTarget, SplitsPathAndQuery) {
  const HttpTarget target = ParseHttpTarget("/socket.io/?EIO=4&transport=websocket");

  EXPECT_EQ(target.path, "/socket.io/");
  EXPECT_EQ(target.Get("EIO"), "4");
  EXPECT_EQ(target.Get("transport"), "websocket");
  EXPECT_EQ(target.Get("sid"), "");
  EXPECT_FALSE(target.Has("sid"));
}

TEST(HttpTarget, DoesWithoutAQuery) {
  EXPECT_EQ(ParseHttpTarget("/").path, "/");
  EXPECT_TRUE(ParseHttpTarget("/x?").query.empty());
  EXPECT_EQ(ParseHttpTarget("").path, "");
}

TEST(HttpTarget, TakesTheLastOfRepeatedKeys) {
  EXPECT_EQ(ParseHttpTarget("/?EIO=3&EIO=4").Get("EIO"), "4");
}

TEST(HttpTarget, DecodesKeysAndValues) {
  const HttpTarget target = ParseHttpTarget("/?a%20b=c%2Bd+e%C3%A4&x=1%262=3");

  EXPECT_EQ(target.Get("a b"), "c+d e\xc3\xa4");
  EXPECT_EQ(target.Get("x"), "1&2=3");
}

TEST(HttpTarget, LeavesBrokenEscapesAsTheyAre) {
  const HttpTarget target = ParseHttpTarget("/?a=%&b=%4&c=%zz&d=100%");

  EXPECT_EQ(target.Get("a"), "%");
  EXPECT_EQ(target.Get("b"), "%4");
  EXPECT_EQ(target.Get("c"), "%zz");
  EXPECT_EQ(target.Get("d"), "100%");
}

TEST(HttpTarget, DecodesAnEscapeAtTheVeryEnd) {
  EXPECT_EQ(ParseHttpTarget("/?a=x%41").Get("a"), "xA");
}

TEST(HttpTarget, TellsAnEmptyValueFromNone) {
  const HttpTarget target = ParseHttpTarget("/?a=&b&&=c");

  EXPECT_TRUE(target.Has("a"));
  EXPECT_TRUE(target.Has("b"));
  EXPECT_EQ(target.Get("a"), "");
  EXPECT_EQ(target.Get(""), "c");
}

TEST(HttpTarget, KeepsWhatStandsBehindASecondQuestionMark) {
  EXPECT_EQ(ParseHttpTarget("/?a=b?c").Get("a"), "b?c");
}

}  // namespace
}  // namespace confab::edge
