#include "storage/room_settings.h"

#include <gtest/gtest.h>

#include "storage/restriction.h"

namespace confab::storage {
namespace {

TEST(TextMap, GivesBackWhatItWasMadeFrom) {
  const TextMap map = {{"", ""}, {"a=b", "c\\d"}, {"line\nfeed", "=\n\\n"}, {"\xc3\xa4", "x"}};

  EXPECT_EQ(DecodeTextMap(EncodeTextMap(map)), map);
  EXPECT_EQ(EncodeTextMap({}), "");
  EXPECT_EQ(EncodeTextMap({{"a", "b"}, {"c", "d=e"}}), "a=b\nc=d\\=e\n");
}

TEST(TextMap, RefusesWhatIsNone) {
  for (const char* text : {"a", "a=b", "a=b=c\n", "=\\", "a\n"}) {
    EXPECT_EQ(DecodeTextMap(text), std::nullopt) << text;
  }
}

TEST(RoomSettings, GiveBackWhatTheyWereMadeFrom) {
  const RoomSettings settings{"tea\n= \\", true, true, true, 30, {{"k=", "v\n"}, {"", "x"}}};

  EXPECT_EQ(DecodeSettings(EncodeSettings(settings)), settings);
  EXPECT_EQ(DecodeSettings(EncodeSettings({})), RoomSettings{});
  EXPECT_EQ(DecodeSettings(""), std::nullopt);
  EXPECT_EQ(DecodeSettings("slow_mode_s=-1\n"), std::nullopt);
  EXPECT_EQ(DecodeSettings("slow_mode_s=1x\n"), std::nullopt);
}

TEST(Restriction, KeepsItsEnd) {
  const absl::Time end = absl::FromUnixMicros(1'800'000'000'000'001);

  EXPECT_EQ(ReadRestriction(RestrictionText(end)), end);
  EXPECT_EQ(ReadRestriction(RestrictionText(absl::InfiniteFuture())), absl::InfiniteFuture());
  EXPECT_EQ(RestrictionEnd(-1), absl::UnixEpoch());
  for (const char* text : {"", "0", "-5", "12x", "99999999999999999999"}) {
    EXPECT_EQ(ReadRestriction(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace confab::storage
