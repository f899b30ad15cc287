#include "tools/loadgen/message_mark.h"

#include <gtest/gtest.h>

namespace confab::loadgen {
namespace {

TEST(MarkedContent, ReadsWhatItWrote) {
  for (const size_t bytes : {kContentBytesMin, size_t{200}, kContentBytesLimit}) {
    const MarkedContent content(bytes);
    for (const MessageMark mark :
         {MessageMark{0, 0}, MessageMark{7, 123}, MessageMark{4'294'967'295U, 999'999'999'999}}) {
      std::string text;
      content.Append(mark, text);

      EXPECT_EQ(text.size(), bytes);
      EXPECT_EQ(content.Read(text), mark);
    }
  }
}

TEST(MarkedContent, RefusesEverySingleChange) {
  const MarkedContent content(64);
  std::string text;
  content.Append({3, 42}, text);

  for (size_t at = 0; at < text.size(); ++at) {
    std::string changed = text;
    changed[at] = changed[at] == '#' ? '*' : '#';
    EXPECT_FALSE(content.Read(changed).has_value()) << at;
  }
  EXPECT_FALSE(content.Read(text.substr(0, 63)).has_value());
  EXPECT_FALSE(content.Read(text + "x").has_value());
  EXPECT_FALSE(content.Read("").has_value());
}

}  // namespace
}  // namespace confab::loadgen
