#include "edge/protocol/json_text.h"

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

std::string Nested(size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

std::string Escaped(std::string_view text) {
  std::string out;
  AppendJsonString(text, out);
  return out;
}

std::string Time(int64_t seconds, int32_t nanos) {
  std::string out;
  AppendJsonTime(seconds, nanos, out);
  return out;
}

TEST(JsonParser, ReadsJson) {
  JsonParser parser;

  const auto value = parser.Parse(R"( {"a":[1,"b",null]} )");

  ASSERT_TRUE(value.ok());
  EXPECT_EQ((*value)->at("a").at(1), "b");
}

TEST(JsonParser, ServesOneTextAfterAnother) {
  JsonParser parser;
  for (int i = 0; i < 1'000; ++i) {
    // Every other text is larger than the arena, every third is broken in the middle.
    const std::string filler(i % 2 == 0 ? 20 : 30'000, 'x');
    const std::string text = "[{\"n\":" + std::to_string(i) + ",\"filler\":\"" + filler + "\"}";
    ASSERT_FALSE(i % 3 == 0 && parser.Parse(text).ok());

    const auto value = parser.Parse(text + "]");

    ASSERT_TRUE(value.ok()) << i;
    ASSERT_EQ((*value)->at(0).at("n").as_int64(), i);
    ASSERT_EQ((*value)->at(0).at("filler").as_string().size(), filler.size());
  }
}

TEST(JsonParser, RefusesWhatIsNoJson) {
  JsonParser parser;
  for (const std::string_view text :
       {"", "{", "[1,]", "{a:1}", "[1] 2", "nul", "'a'", "[1}", "01", "1.", "\"a\nb\"", "+1",
        "[\"\\x\"]", "NaN", "[1]]", "// a\n1"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(parser.Parse(text).status())) << text;
  }
}

TEST(JsonParser, RefusesInvalidUtf8) {
  JsonParser parser;
  for (const std::string_view text :
       {"\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xe2\x82\""}) {
    EXPECT_TRUE(absl::IsInvalidArgument(parser.Parse(text).status()));
  }
}

TEST(JsonParser, ReadsToTheDepthLimitAndNoDeeper) {
  JsonParser parser;

  EXPECT_TRUE(parser.Parse(Nested(kJsonDepthLimit)).ok());
  EXPECT_TRUE(absl::IsOutOfRange(parser.Parse(Nested(kJsonDepthLimit + 1)).status()));
}

TEST(JsonParser, SurvivesSixtyThousandBrackets) {
  JsonParser parser;

  EXPECT_TRUE(absl::IsOutOfRange(parser.Parse(std::string(60'000, '[')).status()));
}

TEST(JsonParser, TellsHalfASurrogatePairFromBrokenJson) {
  JsonParser parser;
  for (const std::string_view text : {R"(["\ud83d"])", R"(["\ud83dx"])", R"(["\ude00"])",
                                      R"(["\ud83d\ud83d"])", R"(["\ud83d\n"])"}) {
    EXPECT_TRUE(absl::IsOutOfRange(parser.Parse(text).status())) << text;
  }
  ASSERT_TRUE(parser.Parse(R"(["\ud83d\ude00"])").ok());
}

TEST(JsonParser, KeepsNumbersOfPlainDigitsWhole) {
  JsonParser parser;

  const auto value = parser.Parse("[9007199254740991,1.0,1e2,-0,9223372036854775808]");

  ASSERT_TRUE(value.ok());
  EXPECT_EQ((*value)->at(0).as_int64(), 9'007'199'254'740'991);
  EXPECT_TRUE((*value)->at(1).is_double());
  EXPECT_TRUE((*value)->at(2).is_double());
  EXPECT_TRUE((*value)->at(3).is_double()) << "-0 is not written as plain digits";
  EXPECT_TRUE((*value)->at(4).is_uint64());
}

TEST(JsonDepth, CountsLikeTheParser) {
  EXPECT_TRUE(IsJsonDepthWithinLimit(Nested(kJsonDepthLimit)));
  EXPECT_FALSE(IsJsonDepthWithinLimit(Nested(kJsonDepthLimit + 1)));
}

TEST(JsonDepth, LooksAtNoBracketInsideAString) {
  EXPECT_TRUE(IsJsonDepthWithinLimit("[\"" + std::string(100, '[') + "\"]"));
  EXPECT_TRUE(IsJsonDepthWithinLimit("[\"\\\"" + std::string(100, '{') + "\"]"));
  EXPECT_FALSE(IsJsonDepthWithinLimit("[\"\\\\\"," + std::string(100, '[')));
}

TEST(JsonDepth, ForgetsWhatWasClosed) {
  std::string siblings;
  for (int i = 0; i < 1'000; ++i) siblings += "{}[]";

  EXPECT_TRUE(IsJsonDepthWithinLimit(siblings));
  EXPECT_TRUE(IsJsonDepthWithinLimit("]]["));
  EXPECT_FALSE(IsJsonDepthWithinLimit("]]]]" + Nested(kJsonDepthLimit + 1)));
}

TEST(JsonString, EscapesWhatJsonForbidsRaw) {
  EXPECT_EQ(Escaped("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(Escaped("\b\f\n\r\t"), R"("\b\f\n\r\t")");
  EXPECT_EQ(Escaped(std::string_view("\0\x01\x1e\x1f", 4)), R"("\u0000\u0001\u001e\u001f")");
}

TEST(JsonString, LeavesEverythingElseUntouched) {
  const std::string_view text = "/ \x7f äöü €  😀 'x'";

  EXPECT_EQ(Escaped(text), "\"" + std::string(text) + "\"");
  EXPECT_EQ(Escaped(""), "\"\"");
}

TEST(JsonString, EscapesAtEveryPlaceOfAWord) {
  for (size_t size = 1; size <= 20; ++size) {
    for (size_t at = 0; at < size; ++at) {
      for (const auto& [raw, escaped] :
           {std::pair{'"', "\\\""}, {'\\', "\\\\"}, {'\x1f', "\\u001f"}, {'\0', "\\u0000"}}) {
        // Neighbours that a comparison of whole words could mistake.
        std::string text(size, at % 2 == 0 ? '\x20' : '\xa2');
        text[at] = raw;
        std::string expected = "\"" + text.substr(0, at) + escaped + text.substr(at + 1) + "\"";

        ASSERT_EQ(Escaped(text), expected) << "size " << size << " at " << at;
      }
    }
  }
}

TEST(JsonString, IsReadBackAsWritten) {
  JsonParser parser;
  std::string every_byte;
  for (char c = 0; c < 127; ++c) every_byte.push_back(c);

  const std::string written = Escaped(every_byte);
  const auto value = parser.Parse(written);

  ASSERT_TRUE(value.ok());
  EXPECT_EQ((*value)->as_string(), every_byte);
}

TEST(JsonString, AppendsBehindWhatIsThere) {
  std::string out = "x:";

  AppendJsonString("y", out);
  AppendJsonNumber(-42, out);

  EXPECT_EQ(out, "x:\"y\"-42");
}

TEST(JsonNumber, WritesTheExtremes) {
  std::string out;

  AppendJsonNumber(INT64_MIN, out);
  out.push_back(' ');
  AppendJsonNumber(INT64_MAX, out);

  EXPECT_EQ(out, "-9223372036854775808 9223372036854775807");
}

TEST(JsonTime, WritesRfc3339WithMilliseconds) {
  EXPECT_EQ(Time(0, 0), R"("1970-01-01T00:00:00.000Z")");
  EXPECT_EQ(Time(1'795'244'645, 7'999'999), R"("2026-11-21T07:04:05.007Z")");
}

TEST(JsonTime, KnowsLeapDaysAndYearEnds) {
  EXPECT_EQ(Time(951'782'399, 999'999'999), R"("2000-02-28T23:59:59.999Z")");
  EXPECT_EQ(Time(951'782'400, 0), R"("2000-02-29T00:00:00.000Z")");
  EXPECT_EQ(Time(951'868'800, 0), R"("2000-03-01T00:00:00.000Z")");
  EXPECT_EQ(Time(1'798'761'599, 0), R"("2026-12-31T23:59:59.000Z")");
  EXPECT_EQ(Time(1'798'761'600, 0), R"("2027-01-01T00:00:00.000Z")");
}

TEST(JsonTime, WritesTimesBefore1970) {
  EXPECT_EQ(Time(-1, 0), R"("1969-12-31T23:59:59.000Z")");
  EXPECT_EQ(Time(-86'400, 0), R"("1969-12-31T00:00:00.000Z")");
}

TEST(JsonTime, ClampsWhatHasNoFourDigitYear) {
  EXPECT_EQ(Time(INT64_MAX, INT32_MAX), R"("9999-12-31T23:59:59.999Z")");
  EXPECT_EQ(Time(INT64_MIN, INT32_MIN), R"("0001-01-01T00:00:00.000Z")");
}

}  // namespace
}  // namespace confab::edge
