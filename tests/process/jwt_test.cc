#include "process/jwt.h"

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "process/base64url.h"
#include "tests/process/temp_dir.h"

namespace confab::process {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kSecret = "an-ordinary-secret-of-more-than-32-bytes";
const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

JwtKey Key(std::string_view secret = kSecret) {
  return JwtKey::FromSecret(std::string(secret)).value();
}

// Any header over any payload, rightly signed: what an attacker with the key's use could make.
std::string Token(std::string_view header, std::string_view payload,
                  std::string_view secret = kSecret) {
  const std::string input = EncodeBase64Url(header) + "." + EncodeBase64Url(payload);
  return input + "." + EncodeBase64Url(Key(secret).Sign(input));
}

constexpr std::string_view kHeader = R"({"alg":"HS256","typ":"JWT"})";
constexpr std::string_view kGood = R"({"sub":"alice","exp":1800000060})";

JwtVerdict Verify(std::string_view token, const JwtPolicy& policy = {}) {
  return VerifyJwt(token, Key(), policy, kNow);
}

TEST(Jwt, AcceptsWhatItSigned) {
  const std::string token = SignJwt({{"sub", "alice"}, {"exp", 1'800'000'060}}, Key());

  const JwtVerdict verdict = Verify(token);

  ASSERT_TRUE(verdict.ok()) << verdict.message;
  EXPECT_EQ(verdict.claims.json.at("sub").as_string(), "alice");
  EXPECT_EQ(verdict.claims.expires, absl::FromUnixSeconds(1'800'000'060));
}

// RFC 7515, appendix A.1: header, payload, key and signature as printed there.
TEST(Jwt, AgreesWithTheRfcExample) {
  constexpr std::string_view kToken =
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
      "fQ."
      "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  const JwtKey key =
      JwtKey::FromSecret(
          *DecodeBase64Url("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKt"
                           "MN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"))
          .value();

  const JwtVerdict verdict = VerifyJwt(kToken, key, {}, absl::FromUnixSeconds(1'300'819'370));

  EXPECT_TRUE(verdict.ok()) << verdict.message;
}

struct Hostile {
  const char* name;
  std::string token;
  JwtFault fault;
};

std::vector<Hostile> HostileTokens() {
  const auto claims = [](std::string_view payload) { return Token(kHeader, payload); };
  const auto header = [](std::string_view text) { return Token(text, kGood); };
  const std::string good = claims(kGood);
  const std::string unsigned_part = good.substr(0, good.rfind('.'));
  const std::string swapped = EncodeBase64Url(kHeader) + "." +
                              EncodeBase64Url(R"({"sub":"mallory","exp":1800000060})") +
                              good.substr(good.rfind('.'));
  std::string flipped = good;
  flipped[good.rfind('.') + 5] = flipped[good.rfind('.') + 5] == 'A' ? 'B' : 'A';
  std::string loose_end = good;  // 32 bytes leave 2 unused bits in the last letter.
  loose_end.back() = loose_end.back() == 'A' ? 'B' : static_cast<char>(loose_end.back() + 1);
  std::string deep(100, '[');

  return {
      {"empty", "", JwtFault::kMissing},
      {"garbage", "garbage", JwtFault::kMalformed},
      {"dots", "..", JwtFault::kMalformed},
      {"two parts", unsigned_part, JwtFault::kMalformed},
      {"four parts", good + ".x", JwtFault::kMalformed},
      {"too long", std::string(kJwtBytesLimit + 1, 'a'), JwtFault::kTooLong},
      {"blank before", " " + good, JwtFault::kMalformed},
      {"newline after", good + "\n", JwtFault::kBadSignature},
      {"padding", good + "=", JwtFault::kBadSignature},
      {"NUL inside", good + std::string(1, '\0'), JwtFault::kBadSignature},
      {"plain base64", EncodeBase64Url(kHeader) + "+." + EncodeBase64Url(kGood) + ".x",
       JwtFault::kMalformed},
      {"bits left over in the signature", loose_end, JwtFault::kBadSignature},
      {"no signature", unsigned_part + ".", JwtFault::kBadSignature},
      {"flipped signature", flipped, JwtFault::kBadSignature},
      {"short signature", good.substr(0, good.size() - 4), JwtFault::kBadSignature},
      {"other claims", swapped, JwtFault::kBadSignature},
      {"other key", Token(kHeader, kGood, "another-secret-of-more-than-32-bytes!!"),
       JwtFault::kBadSignature},
      {"alg none", header(R"({"alg":"none"})"), JwtFault::kAlgorithm},
      {"alg none, unsigned",
       EncodeBase64Url(R"({"alg":"none"})") + "." + EncodeBase64Url(kGood) + ".",
       JwtFault::kAlgorithm},
      {"alg None", header(R"({"alg":"None"})"), JwtFault::kAlgorithm},
      {"alg nOnE", header(R"({"alg":"nOnE"})"), JwtFault::kAlgorithm},
      {"alg empty", header(R"({"alg":""})"), JwtFault::kAlgorithm},
      {"alg missing", header(R"({"typ":"JWT"})"), JwtFault::kAlgorithm},
      {"alg null", header(R"({"alg":null})"), JwtFault::kAlgorithm},
      {"alg list", header(R"({"alg":["HS256"]})"), JwtFault::kAlgorithm},
      {"alg lower case", header(R"({"alg":"hs256"})"), JwtFault::kAlgorithm},
      {"alg blank", header(R"({"alg":"HS256 "})"), JwtFault::kAlgorithm},
      {"alg NUL", header(R"({"alg":"HS256\u0000"})"), JwtFault::kAlgorithm},
      {"alg twice, last counts", header(R"({"alg":"HS256","alg":"none"})"), JwtFault::kAlgorithm},
      {"alg RS256", header(R"({"alg":"RS256"})"), JwtFault::kAlgorithm},
      {"alg HS384", header(R"({"alg":"HS384"})"), JwtFault::kAlgorithm},
      {"alg ES256", header(R"({"alg":"ES256"})"), JwtFault::kAlgorithm},
      {"crit", header(R"({"alg":"HS256","crit":["b64"],"b64":false})"), JwtFault::kHeader},
      {"crit empty", header(R"({"alg":"HS256","crit":[]})"), JwtFault::kHeader},
      {"jku", header(R"({"alg":"HS256","jku":"https://evil.example/k"})"), JwtFault::kHeader},
      {"jwk", header(R"({"alg":"HS256","jwk":{"kty":"oct","k":"AA"}})"), JwtFault::kHeader},
      {"x5u", header(R"({"alg":"HS256","x5u":"https://evil.example/c"})"), JwtFault::kHeader},
      {"header no object", header(R"("HS256")"), JwtFault::kMalformed},
      {"header two values", header(R"({"alg":"HS256"}{})"), JwtFault::kMalformed},
      {"header comment", header(R"({"alg":"HS256"/**/})"), JwtFault::kMalformed},
      {"header deep", header(R"({"alg":"HS256","x":)" + deep), JwtFault::kMalformed},
      {"claims no object", claims("[]"), JwtFault::kMalformed},
      {"claims no JSON", claims("sub=alice"), JwtFault::kMalformed},
      {"claims bad UTF-8", claims("{\"exp\":1800000060,\"sub\":\"\xff\"}"), JwtFault::kMalformed},
      {"claims deep", claims(R"({"exp":1800000060,"x":)" + deep), JwtFault::kMalformed},
      {"no exp", claims(R"({"sub":"alice"})"), JwtFault::kNoExpiry},
      {"exp null", claims(R"({"exp":null})"), JwtFault::kMalformed},
      {"exp string", claims(R"({"exp":"1800000060"})"), JwtFault::kMalformed},
      {"exp true", claims(R"({"exp":true})"), JwtFault::kMalformed},
      {"exp negative", claims(R"({"exp":-1})"), JwtFault::kMalformed},
      {"exp huge", claims(R"({"exp":1e300})"), JwtFault::kMalformed},
      {"exp infinite", claims(R"({"exp":1e999})"), JwtFault::kMalformed},
      {"exp over int64", claims(R"({"exp":18446744073709551615})"), JwtFault::kMalformed},
      {"exp in milliseconds", claims(R"({"exp":1800000060000})"), JwtFault::kMalformed},
      {"exp past leeway", claims(R"({"exp":1799999970})"), JwtFault::kExpired},
      {"exp zero", claims(R"({"exp":0})"), JwtFault::kExpired},
      {"nbf ahead", claims(R"({"exp":1800000060,"nbf":1800000031})"), JwtFault::kNotYet},
      {"nbf string", claims(R"({"exp":1800000060,"nbf":"0"})"), JwtFault::kMalformed},
      {"iat string", claims(R"({"exp":1800000060,"iat":"now"})"), JwtFault::kMalformed},
  };
}

TEST(Jwt, RefusesHostileTokens) {
  for (const Hostile& hostile : HostileTokens()) {
    const JwtVerdict verdict = Verify(hostile.token);

    EXPECT_EQ(static_cast<int>(verdict.fault), static_cast<int>(hostile.fault))
        << hostile.name << ": " << verdict.message;
    EXPECT_FALSE(verdict.message.empty()) << hostile.name;
    EXPECT_TRUE(verdict.claims.json.empty()) << hostile.name;
  }
}

TEST(Jwt, AllowsThirtySecondsOfClockDifference) {
  EXPECT_TRUE(Verify(Token(kHeader, R"({"exp":1799999971})")).ok());
  EXPECT_TRUE(Verify(Token(kHeader, R"({"exp":1799999970.5})")).ok());
  EXPECT_TRUE(Verify(Token(kHeader, R"({"exp":1800000060,"nbf":1800000030})")).ok());
}

TEST(Jwt, ChecksIssuerAndAudienceWhenConfigured) {
  const JwtPolicy policy{.issuer = "https://id.example", .audience = "chat"};
  const auto fault = [&](std::string_view claims) {
    return Verify(Token(kHeader, claims), policy).fault;
  };

  EXPECT_EQ(fault(R"({"exp":1800000060,"iss":"https://id.example","aud":"chat"})"),
            JwtFault::kNone);
  EXPECT_EQ(fault(R"({"exp":1800000060,"iss":"https://id.example","aud":["x","chat"]})"),
            JwtFault::kNone);
  EXPECT_EQ(fault(R"({"exp":1800000060,"aud":"chat"})"), JwtFault::kWrongIssuer);
  EXPECT_EQ(fault(R"({"exp":1800000060,"iss":["https://id.example"],"aud":"chat"})"),
            JwtFault::kWrongIssuer);
  EXPECT_EQ(fault(R"({"exp":1800000060,"iss":"https://id.example"})"), JwtFault::kWrongAudience);
  EXPECT_EQ(fault(R"({"exp":1800000060,"iss":"https://id.example","aud":"chats"})"),
            JwtFault::kWrongAudience);
  EXPECT_EQ(fault(R"({"exp":1800000060,"iss":"https://id.example","aud":[["chat"],1]})"),
            JwtFault::kWrongAudience);
  EXPECT_EQ(fault(R"({"exp":1800000060,"iss":"https://id.example","aud":{"chat":1}})"),
            JwtFault::kWrongAudience);
}

TEST(Jwt, MessagesHoldNothingOfTheToken) {
  const JwtVerdict verdict = Verify(Token(R"({"alg":"evil-word"})", kGood));

  EXPECT_THAT(verdict.message, Not(HasSubstr("evil-word")));
}

TEST(JwtKey, RefusesShortSecrets) {
  EXPECT_FALSE(JwtKey::FromSecret("").ok());
  EXPECT_FALSE(JwtKey::FromSecret(std::string(31, 'x')).ok());
  EXPECT_TRUE(JwtKey::FromSecret(std::string(32, 'x')).ok());
}

TEST(JwtKey, ReadsASecretFileWithoutItsNewline) {
  const TempDir dir;
  const std::string file = dir.Write("secret", std::string(kSecret) + "\r\n");

  const JwtKey key = JwtKey::FromSecretFile(file).value();

  EXPECT_TRUE(VerifyJwt(Token(kHeader, kGood), key, {}, kNow).ok());
}

TEST(JwtKey, SaysHowToMakeASecretFile) {
  const TempDir dir;
  const auto message = [](const std::string& path) {
    return std::string(JwtKey::FromSecretFile(path).status().message());
  };

  EXPECT_THAT(message(dir.Path("none")),
              HasSubstr("openssl rand -base64 48 > " + dir.Path("none")));
  EXPECT_THAT(message(dir.path()), HasSubstr("cannot read"));
  EXPECT_THAT(message(dir.Write("short", "hello\n")), HasSubstr("has 5 bytes"));
  EXPECT_THAT(message(dir.Write("empty", "\n")), HasSubstr("has 0 bytes"));
  EXPECT_THAT(message(dir.Write("big", std::string(5000, 'x'))), HasSubstr("over 4096 bytes"));
}

TEST(Base64Url, RoundTripsEveryLength) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(DecodeBase64Url(EncodeBase64Url(bytes)), bytes);
    bytes += static_cast<char>(i * 37);
  }
}

TEST(Base64Url, IsStrict) {
  EXPECT_EQ(DecodeBase64Url(""), "");
  EXPECT_EQ(DecodeBase64Url("QQ"), "A");
  for (const std::string_view text : {"Q", "QQ=", "QQ==", "QR", "Q Q", "QUI+", "QUI/", "QUJDR"}) {
    EXPECT_EQ(DecodeBase64Url(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace confab::process
