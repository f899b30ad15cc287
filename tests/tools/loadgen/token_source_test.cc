#include "tools/loadgen/token_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "process/jwt.h"
#include "tests/process/temp_dir.h"

namespace confab::loadgen {
namespace {

using testing::HasSubstr;

constexpr char kSecret[] = "a-secret-of-more-than-thirty-two-bytes";
const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

TEST(TokenSource, MintsWhatAnEdgeTakes) {
  const process::TempDir dir;
  const TokenOptions options{.user_secret_file = dir.Write("secret", kSecret),
                             .token_file = "",
                             .issuer = "here",
                             .audience = "chat"};
  const auto tokens = TokenSource::Open(options, "abc", 2, kNow, kNow + absl::Hours(1));
  ASSERT_TRUE(tokens.ok()) << tokens.status();

  const auto key = process::JwtKey::FromSecret(kSecret);
  const process::JwtVerdict verdict =
      process::VerifyJwt(tokens->TokenOf(1), *key, {.issuer = "here", .audience = "chat"}, kNow);

  ASSERT_TRUE(verdict.ok()) << verdict.message;
  EXPECT_EQ(verdict.claims.json.at("sub").as_string(), "load-abc-1");
  EXPECT_EQ(tokens->UserOf(1), "load-abc-1");
  EXPECT_NE(tokens->TokenOf(0), tokens->TokenOf(1));
}

TEST(TokenSource, ReadsTokensWithTheirUsers) {
  const process::TempDir dir;
  const auto key = process::JwtKey::FromSecret(kSecret);
  const std::string ann = process::SignJwt({{"sub", "ann"}, {"exp", 1}}, *key);
  const std::string seven = process::SignJwt({{"userId", 7}, {"exp", 1}}, *key);
  const TokenOptions options{.user_secret_file = "",
                             .token_file = dir.Write("tokens", ann + "\n\n " + seven + "\r\n"),
                             .issuer = "",
                             .audience = ""};

  const auto tokens = TokenSource::Open(options, "abc", 2, kNow, kNow);
  ASSERT_TRUE(tokens.ok()) << tokens.status();
  EXPECT_EQ(tokens->UserOf(0), "ann");
  EXPECT_EQ(tokens->UserOf(1), "7");
  EXPECT_EQ(tokens->TokenOf(1), seven);

  const auto more = TokenSource::Open(options, "abc", 3, kNow, kNow);
  EXPECT_THAT(std::string(more.status().message()),
              HasSubstr("2 tokens are too few, 3 users are needed"));
}

TEST(TokenSource, SaysWhatToGive) {
  const process::TempDir dir;
  const auto key = process::JwtKey::FromSecret(kSecret);
  const std::string ann = process::SignJwt({{"sub", "ann"}}, *key);
  const auto says = [&](const std::string& secret_file, const std::string& token_file) {
    const TokenOptions options{
        .user_secret_file = secret_file, .token_file = token_file, .issuer = "", .audience = ""};
    return std::string(TokenSource::Open(options, "abc", 1, kNow, kNow).status().message());
  };

  EXPECT_THAT(says("", ""), HasSubstr("set --user-secret-file"));
  EXPECT_THAT(says(dir.Path("none"), ""), HasSubstr(dir.Path("none")));
  EXPECT_THAT(says(dir.Write("short", "abc"), ""), HasSubstr("--user-secret-file: "));
  EXPECT_THAT(says("", dir.Path("none")), HasSubstr("--token-file: "));
  EXPECT_THAT(says("", dir.Write("words", ann + "\nhello\n")), HasSubstr("line 2 is no token"));
  EXPECT_THAT(says("", dir.Write("twice", ann + "\n" + ann)),
              HasSubstr("line 2 is a second token"));
}

}  // namespace
}  // namespace confab::loadgen
