#include "edge/auth/token_verifier.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace confab::edge {
namespace {

namespace json = boost::json;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);
constexpr int64_t kLater = 1'800'003'600;

process::JwtKey Key(const std::string& secret = std::string(32, 's')) {
  return *process::JwtKey::FromSecret(secret);
}

std::string Token(json::object claims) {
  if (!claims.contains("exp")) claims["exp"] = kLater;
  return process::SignJwt(claims, Key());
}

class TokenVerifierTest : public testing::Test {
 protected:
  std::optional<v1::Error> Verify(std::string_view token) {
    return verifier_.Verify(token, kNow, user_);
  }

  // The id of the user, or the word of the refusal.
  std::string UserOf(const json::object& claims) {
    const auto refusal = Verify(Token(claims));
    return refusal ? v1::Reason_Name(refusal->reason()) : user_.user.id();
  }

  TokenVerifier verifier_{process::JwtKeySet(Key())};
  VerifiedUser user_;
};

TEST_F(TokenVerifierTest, ReadsWhoTheUserIs) {
  const std::string token = Token({{"sub", "ann"},
                                   {"name", "Ann"},
                                   {"email", "ann@example.org"},
                                   {"roleContextId", "teacher-7"},
                                   {"role", "teacher"}});

  const auto refusal = Verify(token);

  ASSERT_FALSE(refusal) << refusal->message();
  EXPECT_EQ(user_.user.id(), "ann");
  EXPECT_EQ(user_.user.name(), "Ann");
  EXPECT_EQ(user_.email, "ann@example.org");
  EXPECT_EQ(user_.role_context, "teacher-7");
  EXPECT_EQ(user_.expires_at, absl::FromUnixSeconds(kLater));
}

TEST_F(TokenVerifierTest, TakesTheTokenWithAndWithoutItsScheme) {
  const std::string token = Token({{"sub", "ann"}});
  for (const std::string& shown :
       {token, "Bearer " + token, "bearer " + token, "  Bearer  " + token + " "}) {
    EXPECT_FALSE(Verify(shown)) << shown;
  }
}

TEST_F(TokenVerifierTest, FindsTheUserIdInThisOrder) {
  EXPECT_EQ(UserOf({{"id", "c"}, {"userId", "b"}, {"sub", "a"}}), "a");
  EXPECT_EQ(UserOf({{"id", "c"}, {"userId", "b"}}), "b");
  EXPECT_EQ(UserOf({{"id", "c"}}), "c");
  EXPECT_EQ(UserOf({{"id", "c"}, {"sub", nullptr}}), "c");
}

TEST_F(TokenVerifierTest, TakesWholeNumbersForIds) {
  EXPECT_EQ(UserOf({{"id", 42}}), "42");
  EXPECT_EQ(UserOf({{"sub", 0}}), "0");
  EXPECT_EQ(UserOf({{"sub", UINT64_MAX}}), "18446744073709551615");
}

TEST_F(TokenVerifierTest, RefusesATokenThatNamesNoUser) {
  EXPECT_EQ(UserOf({}), "REASON_TOKEN_INVALID");
  EXPECT_EQ(UserOf({{"sub", ""}}), "REASON_TOKEN_INVALID");
  EXPECT_EQ(UserOf({{"sub", true}}), "REASON_TOKEN_INVALID");
  EXPECT_EQ(UserOf({{"sub", 1.5}}), "REASON_TOKEN_INVALID");
  EXPECT_EQ(UserOf({{"sub", json::array{"ann"}}}), "REASON_TOKEN_INVALID");
  EXPECT_EQ(UserOf({{"sub", std::string(129, 'x')}}), "REASON_TOKEN_INVALID");
  EXPECT_EQ(UserOf({{"sub", std::string("a\0b", 3)}}), "REASON_TOKEN_INVALID");
}

TEST_F(TokenVerifierTest, DoesNotFallBackFromAClaimThatIsNoId) {
  EXPECT_EQ(UserOf({{"sub", ""}, {"userId", "b"}}), "REASON_TOKEN_INVALID");
}

TEST_F(TokenVerifierTest, TakesTheLongestUserId) {
  const std::string longest(128, 'x');

  EXPECT_EQ(UserOf({{"sub", longest}}), longest);
}

TEST_F(TokenVerifierTest, CutsALongNameBetweenCharacters) {
  std::string name(127, 'x');
  name += "ä and more";

  ASSERT_EQ(UserOf({{"sub", "ann"}, {"name", name}}), "ann");

  EXPECT_EQ(user_.user.name(), std::string(127, 'x'));
}

TEST_F(TokenVerifierTest, DoesWithoutTheOtherClaims) {
  user_.email = "left over";

  ASSERT_EQ(UserOf({{"sub", "ann"}, {"name", json::object()}, {"email", nullptr}}), "ann");

  EXPECT_EQ(user_.user.name(), "");
  EXPECT_EQ(user_.email, "");
  EXPECT_EQ(user_.role_context, "");
}

TEST_F(TokenVerifierTest, DropsAnAddressThatIsNone) {
  ASSERT_EQ(UserOf({{"sub", "ann"}, {"email", std::string(255, 'x')}}), "ann");

  EXPECT_EQ(user_.email, "");
}

TEST_F(TokenVerifierTest, SaysThatTheTokenIsMissing) {
  for (const std::string_view token : {"", " ", "Bearer "}) {
    const auto refusal = Verify(token);
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->reason(), v1::REASON_TOKEN_MISSING) << "'" << token << "'";
    EXPECT_NE(refusal->message(), "");
    EXPECT_FALSE(refusal->retryable());
  }
}

TEST_F(TokenVerifierTest, SaysThatTheTokenHasExpired) {
  const auto refusal = Verify(Token({{"sub", "ann"}, {"exp", 1'799'999'900}}));

  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason(), v1::REASON_TOKEN_EXPIRED);
}

TEST_F(TokenVerifierTest, RefusesWhatItCannotTrust) {
  const std::string of_another_key =
      process::SignJwt({{"sub", "ann"}, {"exp", kLater}}, Key(std::string(32, 'o')));
  const std::string without_expiry = process::SignJwt({{"sub", "ann"}}, Key());
  // {"alg":"none"} . {"sub":"ann","exp":1800003600} . nothing
  const std::string unsigned_token =
      "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4iLCJleHAiOjE4MDAwMDM2MDB9.";
  for (const std::string& token :
       {of_another_key, without_expiry, unsigned_token, std::string("garbage"),
        std::string("a.b.c"), std::string(9'000, 'x'), Token({{"sub", "ann"}}) + "x"}) {
    const auto refusal = Verify(token);
    ASSERT_TRUE(refusal) << token;
    EXPECT_EQ(refusal->reason(), v1::REASON_TOKEN_INVALID) << token;
    EXPECT_NE(refusal->message(), "");
  }
}

TEST_F(TokenVerifierTest, AsksForIssuerAndAudienceWhereConfigured) {
  process::JwtPolicy policy;
  policy.issuer = "https://id.example";
  policy.audience = "chat";
  verifier_ = TokenVerifier(process::JwtKeySet(Key()), policy);

  EXPECT_EQ(UserOf({{"sub", "ann"}}), "REASON_TOKEN_INVALID");
  EXPECT_EQ(UserOf({{"sub", "ann"}, {"iss", "https://id.example"}, {"aud", "other"}}),
            "REASON_TOKEN_INVALID");
  EXPECT_EQ(UserOf({{"sub", "ann"}, {"iss", "https://id.example"}, {"aud", "chat"}}), "ann");
}

TEST_F(TokenVerifierTest, LooksWhereItIsTold) {
  ClaimNames names;
  names.user_id = {"uid"};
  names.name = {"nick", "name"};
  verifier_ = TokenVerifier(process::JwtKeySet(Key()), {}, names);

  EXPECT_EQ(UserOf({{"sub", "ann"}, {"uid", "u-1"}, {"name", "Ann"}}), "u-1");
  EXPECT_EQ(user_.user.name(), "Ann");
  EXPECT_EQ(UserOf({{"sub", "ann"}}), "REASON_TOKEN_INVALID");
}

}  // namespace
}  // namespace confab::edge
