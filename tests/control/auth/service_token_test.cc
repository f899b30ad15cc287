#include "control/auth/service_token.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "control/status_reason.h"

namespace confab::control {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);
constexpr char kGetRoom[] = "/confab.v1.RoomService/GetRoom";

process::JwtKey Key(const std::string& secret = std::string(32, 's')) {
  return *process::JwtKey::FromSecret(secret);
}

v1::Reason RefusalOf(const absl::StatusOr<ServiceIdentity>& identity) {
  return identity.ok() ? v1::REASON_UNSPECIFIED : ReasonOf(identity.status());
}

std::string Sign(const char* claims) {
  return process::SignJwt(boost::json::parse(claims).as_object(), Key());
}

TEST(ServiceToken, AdmitsWhomItWasMintedFor) {
  const std::string token =
      MintServiceToken(Key(), "billing", {Scope::kRoomsRead}, kNow, absl::Minutes(1));

  const auto identity = ServiceTokenVerifier(Key()).Admit(token, kGetRoom, kNow);

  ASSERT_TRUE(identity.ok()) << identity.status();
  EXPECT_EQ(identity->name, "billing");
  EXPECT_EQ(identity->scopes.count(), 1U);
}

TEST(ServiceToken, RefusesAMethodBeyondItsScopes) {
  const std::string token = MintServiceToken(Key(), "billing", {Scope::kRoomsRead, Scope::kNotify},
                                             kNow, absl::Minutes(1));

  const auto identity =
      ServiceTokenVerifier(Key()).Admit(token, "/confab.v1.RoomService/DeleteRoom", kNow);

  EXPECT_EQ(RefusalOf(identity), v1::REASON_SCOPE_MISSING);
  EXPECT_NE(identity.status().message().find("rooms:write"), absl::string_view::npos);
}

TEST(ServiceToken, RefusesAMethodOfNoTableWhateverItsScopes) {
  std::vector<Scope> all;
  for (size_t i = 0; i < kScopeCount; ++i) all.push_back(static_cast<Scope>(i));
  const std::string token = MintServiceToken(Key(), "root", all, kNow, absl::Minutes(1));

  EXPECT_EQ(RefusalOf(ServiceTokenVerifier(Key()).Admit(token, "/confab.v1.X/Y", kNow)),
            v1::REASON_SCOPE_MISSING);
}

TEST(ServiceToken, RefusesAUsersToken) {
  const ServiceTokenVerifier verifier(Key());
  for (const char* claims : {R"({"sub":"ann","exp":1800000600,"scope":"admin rooms:read"})",
                             R"({"sub":"ann","exp":1800000600,"scope":"admin","aud":"chat"})"}) {
    EXPECT_EQ(RefusalOf(verifier.Verify(Sign(claims), kNow)), v1::REASON_TOKEN_INVALID) << claims;
  }
}

TEST(ServiceToken, TellsMissingExpiredAndInvalidApart) {
  const ServiceTokenVerifier verifier(Key());
  const std::string token = MintServiceToken(Key(), "a", {Scope::kAdmin}, kNow, absl::Minutes(1));

  EXPECT_EQ(RefusalOf(verifier.Verify("", kNow)), v1::REASON_TOKEN_MISSING);
  EXPECT_EQ(RefusalOf(verifier.Verify(token, kNow + absl::Hours(1))), v1::REASON_TOKEN_EXPIRED);
  EXPECT_EQ(RefusalOf(verifier.Verify("garbage", kNow)), v1::REASON_TOKEN_INVALID);
  EXPECT_EQ(RefusalOf(ServiceTokenVerifier(Key(std::string(32, 'x'))).Verify(token, kNow)),
            v1::REASON_TOKEN_INVALID);
  EXPECT_EQ(RefusalOf(verifier.Verify(Sign(R"({"aud":"control","exp":1800000600})"), kNow)),
            v1::REASON_TOKEN_INVALID);
}

TEST(ServiceToken, ReadsScopesAsWordsOrAsAListAndPassesOverUnknownOnes) {
  const ServiceTokenVerifier verifier(Key());
  for (const char* claims :
       {R"({"sub":"s","aud":"control","exp":1800000600,"scope":"edge  future:thing rooms:read"})",
        R"({"sub":"s","aud":["x","control"],"exp":1800000600,"scopes":["edge",7,"rooms:read"]})"}) {
    const auto identity = verifier.Verify(Sign(claims), kNow);
    ASSERT_TRUE(identity.ok()) << identity.status();
    EXPECT_EQ(identity->scopes.count(), 2U) << claims;
    EXPECT_TRUE(identity->scopes.test(static_cast<size_t>(Scope::kEdge)));
  }
}

}  // namespace
}  // namespace confab::control
