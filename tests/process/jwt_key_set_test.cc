#include "process/jwt_key_set.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "process/base64url.h"
#include "process/jwt.h"
#include "tests/process/signing_key.h"
#include "tests/process/temp_dir.h"

namespace confab::process {
namespace {

namespace json = boost::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);
constexpr std::string_view kClaims = R"({"sub":"ann","exp":1800000060})";

template <typename Value>
json::object With(json::object jwk, const char* name, Value value) {
  jwk[name] = value;
  return jwk;
}

json::object Named(const SigningKey& key, std::string_view kid) {
  return With(key.PublicJwk(), "kid", json::string(kid));
}

std::string Document(json::array keys) {
  return json::serialize(json::object{{"keys", std::move(keys)}});
}

JwtKeySet Set(json::array keys) {
  absl::StatusOr<JwtKeySet> set = JwtKeySet::Parse(Document(std::move(keys)));
  if (!set.ok()) throw std::runtime_error(std::string(set.status().message()));
  return *std::move(set);
}

std::string Fault(json::array keys) {
  return std::string(JwtKeySet::Parse(Document(std::move(keys))).status().message());
}

int FaultOf(std::string_view token, const JwtKeySet& set) {
  return static_cast<int>(VerifyJwt(token, set, {}, kNow).fault);
}

constexpr int kFine = static_cast<int>(JwtFault::kNone);
constexpr int kBad = static_cast<int>(JwtFault::kBadSignature);
constexpr int kAlgorithm = static_cast<int>(JwtFault::kAlgorithm);
constexpr int kUnknown = static_cast<int>(JwtFault::kUnknownKey);

std::string Header(std::string_view alg, std::string_view kid = "") {
  return kid.empty() ? fmt::format(R"({{"alg":"{}"}})", alg)
                     : fmt::format(R"({{"alg":"{}","kid":"{}"}})", alg, kid);
}

// Made once: an RSA key takes a while.
const SigningKey& Rsa() {
  static const SigningKey key = SigningKey::Rsa();
  return key;
}

// RFC 7515, appendices A.2 and A.3: keys, tokens and signatures as printed there.
constexpr std::string_view kRfcRsaModulus =
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4"
    "QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdb"
    "BYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-D"
    "WNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
constexpr std::string_view kRfcPayload =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlf"
    "Q";
constexpr std::string_view kRfcRsaSignature =
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5ju"
    "jGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07"
    "Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipU"
    "TI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
constexpr std::string_view kRfcEcSignature =
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

json::object RfcRsaJwk() {
  return {{"kty", "RSA"}, {"n", json::string(kRfcRsaModulus)}, {"e", "AQAB"}};
}

json::object RfcEcJwk() {
  return {{"kty", "EC"},
          {"crv", "P-256"},
          {"x", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"},
          {"y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}};
}

TEST(JwtKeySet, AgreesWithTheRfcExamplesOfRsaAndEllipticCurves) {
  const JwtKeySet set = Set({RfcRsaJwk(), RfcEcJwk()});
  const absl::Time then = absl::FromUnixSeconds(1'300'819'370);
  const std::string rs256 =
      fmt::format("eyJhbGciOiJSUzI1NiJ9.{}.{}", kRfcPayload, kRfcRsaSignature);
  const std::string es256 = fmt::format("eyJhbGciOiJFUzI1NiJ9.{}.{}", kRfcPayload, kRfcEcSignature);

  EXPECT_EQ(VerifyJwt(rs256, set, {}, then).message, "");
  EXPECT_EQ(VerifyJwt(es256, set, {}, then).message, "");
}

// RFC 8037, appendix A.4: its payload is no JSON, so the key alone is asked.
TEST(JwtKeySet, AgreesWithTheRfcExampleOfEd25519) {
  const JwtKeySet set = Set(
      {{{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}});
  const std::string signature = *DecodeBase64Url(
      "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");

  const auto keys = set.Find(std::nullopt, "EdDSA");

  ASSERT_EQ(keys.size(), 1U);
  EXPECT_TRUE(
      keys[0]->HasSigned("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc", signature));
}

TEST(JwtKeySet, ChecksEveryAlgorithm) {
  const std::string secret(40, 's');
  const SigningKey p256 = SigningKey::P256();
  const SigningKey ed = SigningKey::Ed25519();
  const JwtKeySet set = Set({Named(Rsa(), "r"),
                             Named(p256, "e"),
                             Named(ed, "d"),
                             {{"kty", "oct"}, {"k", EncodeBase64Url(secret)}, {"kid", "s"}}});

  for (const std::string_view kid : {"", "r"}) {
    EXPECT_EQ(FaultOf(Rsa().Token(Header("RS256", kid), kClaims), set), kFine);
  }
  EXPECT_EQ(FaultOf(p256.Token(Header("ES256", "e"), kClaims), set), kFine);
  EXPECT_EQ(FaultOf(ed.Token(Header("EdDSA", "d"), kClaims), set), kFine);
  EXPECT_EQ(FaultOf(SignJwt({{"exp", 1'800'000'060}}, *JwtKey::FromSecret(secret)), set), kFine);
}

TEST(JwtKeySet, TheKeyOwnsItsAlgorithm) {
  const JwtKeySet set = Set({Named(Rsa(), "r"), Named(SigningKey::P256(), "e")});
  // The classic: the public key, which everybody has, as the secret of HS256.
  const std::string modulus = *DecodeBase64Url(Rsa().PublicJwk().at("n").as_string());
  const std::string input = EncodeBase64Url(Header("HS256", "r")) + "." + EncodeBase64Url(kClaims);
  const std::string forged =
      input + "." + EncodeBase64Url(JwtKey::FromSecret(modulus)->Sign(input));

  EXPECT_EQ(FaultOf(forged, set), kAlgorithm);
  for (const std::string_view alg : {"none", "", "rs256", "RS384", "PS256", "ES256", "EdDSA"}) {
    EXPECT_EQ(FaultOf(Rsa().Token(Header(alg, "r"), kClaims), set), kAlgorithm) << alg;
  }
  EXPECT_EQ(FaultOf(Rsa().Token(Header("ES256"), kClaims), set), kBad);
  EXPECT_EQ(FaultOf(Rsa().Token(R"({"kid":"r"})", kClaims), set), kAlgorithm);
}

TEST(JwtKeySet, LooksTheKeyUpByItsName) {
  const SigningKey one = SigningKey::Ed25519();
  const SigningKey two = SigningKey::Ed25519();
  const JwtKeySet set = Set({Named(one, "one"), Named(two, "two")});

  EXPECT_EQ(FaultOf(two.Token(Header("EdDSA", "two"), kClaims), set), kFine);
  EXPECT_EQ(FaultOf(two.Token(Header("EdDSA"), kClaims), set), kFine);
  EXPECT_EQ(FaultOf(two.Token(Header("EdDSA", "one"), kClaims), set), kBad);
  EXPECT_EQ(FaultOf(two.Token(Header("EdDSA", "three"), kClaims), set), kUnknown);
  EXPECT_EQ(FaultOf(two.Token(R"({"alg":"EdDSA","kid":""})", kClaims), set), kUnknown);
  EXPECT_EQ(FaultOf(two.Token(R"({"alg":"EdDSA","kid":2})", kClaims), set),
            static_cast<int>(JwtFault::kMalformed));
  EXPECT_EQ(FaultOf(SigningKey::Ed25519().Token(Header("EdDSA"), kClaims), set), kBad);
}

TEST(JwtKeySet, ASecretAloneKnowsNoNames) {
  const JwtKey secret = *JwtKey::FromSecret(std::string(32, 's'));
  const std::string input =
      EncodeBase64Url(Header("HS256", "any")) + "." + EncodeBase64Url(kClaims);
  const std::string token = input + "." + EncodeBase64Url(secret.Sign(input));
  JwtKeySet both = Set({Named(SigningKey::Ed25519(), "one")});
  both.Add(secret);

  EXPECT_EQ(FaultOf(token, JwtKeySet(secret)), kFine);
  EXPECT_EQ(FaultOf(token, both), kUnknown);
  EXPECT_EQ(FaultOf(SignJwt({{"exp", 1'800'000'060}}, secret), both), kFine);
}

TEST(JwtKeySet, TriesOnlyAFewKeysForATokenWithoutAName) {
  json::array keys;
  const SigningKey last = SigningKey::Ed25519();
  for (size_t i = 0; i < kJwtTriesLimit - 1; ++i) keys.push_back(SigningKey::Ed25519().PublicJwk());
  keys.push_back(Named(last, "last"));
  EXPECT_EQ(FaultOf(last.Token(Header("EdDSA"), kClaims), Set(keys)), kFine);

  keys.push_back(SigningKey::Ed25519().PublicJwk());
  EXPECT_EQ(FaultOf(last.Token(Header("EdDSA"), kClaims), Set(keys)), kUnknown);
  EXPECT_EQ(FaultOf(last.Token(Header("EdDSA", "last"), kClaims), Set(keys)), kFine);
}

TEST(JwtKeySet, TakesSignaturesOnlyInTheirOneForm) {
  const SigningKey p256 = SigningKey::P256();
  const JwtKeySet set = Set({p256.PublicJwk()});
  const std::string input = EncodeBase64Url(Header("ES256")) + "." + EncodeBase64Url(kClaims);
  const std::string raw = p256.Sign(input);
  const auto fault = [&](std::string_view signature) {
    return FaultOf(input + "." + EncodeBase64Url(signature), set);
  };

  EXPECT_EQ(fault(raw), kFine);
  EXPECT_EQ(fault(p256.Der(input)), kBad);
  EXPECT_EQ(fault(raw.substr(0, 63)), kBad);
  EXPECT_EQ(fault(raw + '\0'), kBad);
  EXPECT_EQ(fault(raw.substr(32) + raw.substr(0, 32)), kBad);
  EXPECT_EQ(fault(std::string(64, '\0')), kBad);  // r = s = 0, as some verifiers once took.
  EXPECT_EQ(fault(std::string(64, '\xff')), kBad);
  EXPECT_EQ(fault(""), kBad);
  EXPECT_EQ(FaultOf(input + "." + EncodeBase64Url(raw) + "==", set), kBad);
}

TEST(JwtKeySet, RefusesWrongSignaturesOfEveryAlgorithm) {
  const SigningKey ed = SigningKey::Ed25519();
  const SigningKey p256 = SigningKey::P256();
  const JwtKeySet set = Set({Rsa().PublicJwk(), ed.PublicJwk(), p256.PublicJwk()});
  const auto fault = [&](const SigningKey& key, std::string_view alg, bool is_cut) {
    const std::string input = EncodeBase64Url(Header(alg)) + "." + EncodeBase64Url(kClaims);
    std::string signature = key.Sign(input);
    if (is_cut) signature.pop_back();
    signature[5] = static_cast<char>(signature[5] ^ (is_cut ? 0 : 1));
    return FaultOf(input + "." + EncodeBase64Url(signature), set);
  };

  for (const bool is_cut : {false, true}) {
    EXPECT_EQ(fault(Rsa(), "RS256", is_cut), kBad);
    EXPECT_EQ(fault(p256, "ES256", is_cut), kBad);
    EXPECT_EQ(fault(ed, "EdDSA", is_cut), kBad);
  }
}

TEST(JwtKeySet, PassesOverKeysForOtherPurposes) {
  const SigningKey ed = SigningKey::Ed25519();
  const json::object jwk = ed.PublicJwk();
  const JwtKeySet set = Set({With(Named(Rsa(), "enc"), "use", "enc"),
                             With(Rsa().PublicJwk(), "alg", "RS512"),
                             With(Rsa().PublicJwk(), "key_ops", json::array{"sign"}),
                             SigningKey::P384().PublicJwk(),
                             {{"kty", "AKP"}},
                             With(With(With(jwk, "use", "sig"), "alg", "EdDSA"), "key_ops",
                                  json::array{"verify", "sign"})});

  EXPECT_EQ(set.size(), 1U);
  EXPECT_EQ(FaultOf(ed.Token(Header("EdDSA"), kClaims), set), kFine);
  EXPECT_EQ(FaultOf(Rsa().Token(Header("RS256"), kClaims), set), kAlgorithm);
  EXPECT_THAT(set.notes(),
              ElementsAre("key 0 (kid \"enc\") is passed over: it is for use \"enc\"",
                          "key 1 is passed over: its algorithm (alg) is RS512, known for its type "
                          "is RS256",
                          "key 2 is passed over: its key_ops are without \"verify\"",
                          "key 3 is passed over: its curve (crv) is P-384, known are P-256 and "
                          "Ed25519",
                          "key 4 is passed over: its type (kty) is AKP, known are RSA, EC, OKP and "
                          "oct"));
}

TEST(JwtKeySet, NamesTheFaultyKeyAndRefusesTheWholeDocument) {
  const SigningKey ed = SigningKey::Ed25519();
  const json::object good = Named(ed, "good");
  const json::object rsa = Rsa().PublicJwk();
  const json::object ec = RfcEcJwk();
  const auto fault = [&](const json::object& bad) {
    return Fault({good, With(bad, "kid", "bad")});
  };

  EXPECT_EQ(fault({{"kty", "oct"}, {"k", EncodeBase64Url("short")}}).substr(0, 51),
            "key 1 (kid \"bad\"): the secret has 5 bytes, HS256 ne");
  EXPECT_THAT(fault(SigningKey::Rsa(1024).PublicJwk()), HasSubstr("1024 bits; at least 2048"));
  EXPECT_THAT(fault(With(rsa, "n", EncodeBase64Url(std::string(1025, '\x81')))),
              HasSubstr("more than 8192 bits"));
  EXPECT_THAT(fault(With(rsa, "n", EncodeBase64Url(std::string(100'000, '\x81')))),
              HasSubstr("more than 8192 bits"));
  EXPECT_THAT(fault(With(rsa, "e", "AQ")), HasSubstr("exponent (e)"));
  EXPECT_THAT(fault(With(rsa, "e", "Ag")), HasSubstr("exponent (e)"));
  EXPECT_THAT(fault(With(rsa, "e", EncodeBase64Url(std::string(9, '\x01')))),
              HasSubstr("exponent (e)"));
  EXPECT_THAT(fault(With(rsa, "n", "AA==")), HasSubstr("n is no base64url"));
  EXPECT_THAT(fault(With(rsa, "e", "AQAB=")), HasSubstr("e is no base64url"));
  EXPECT_THAT(fault({{"kty", "RSA"}, {"e", "AQAB"}}), HasSubstr("n is missing"));
  EXPECT_THAT(fault({{"kty", "RSA"}, {"n", 3}, {"e", "AQAB"}}), HasSubstr("n is no string"));
  EXPECT_THAT(fault(With(rsa, "d", "AQAB")), HasSubstr("private key (d)"));
  EXPECT_THAT(fault(With(ec, "y", ec.at("x"))), HasSubstr("no point of P-256"));
  EXPECT_THAT(fault(With(ec, "y", EncodeBase64Url(std::string(31, 'y')))),
              HasSubstr("32 bytes each, not 32 and 31"));
  EXPECT_THAT(fault({{"kty", "EC"}}), HasSubstr("crv is missing"));
  EXPECT_THAT(fault(With(good, "x", "AAAA")), HasSubstr("32 bytes, not 3"));
  EXPECT_THAT(fault({{"k", "AA"}}), HasSubstr("kty is missing"));
  EXPECT_THAT(fault(With(rsa, "key_ops", "verify")), HasSubstr("key_ops is no list"));
  EXPECT_THAT(fault(With(rsa, "use", 1)), HasSubstr("use is no string"));
  EXPECT_EQ(Fault({good, json::value(1)}), "key 1: is no object");
  EXPECT_EQ(Fault({good, With(ed.PublicJwk(), "kid", 7)}), "key 1: kid is no string");
  EXPECT_EQ(Fault({good, good}), "key 1 (kid \"good\"): its kid is that of an earlier key");
  EXPECT_THAT(Fault({With(good, "kid", std::string(257, 'k'))}), HasSubstr("over 256 bytes"));
  EXPECT_THAT(Fault({With(json::object{{"kty", "EC"}}, "kid", "a\x1b[2J\"b")}),
              HasSubstr("(kid \"a?[2J?b\")"));
}

TEST(JwtKeySet, RefusesWhatIsNoKeySet) {
  const auto fault = [](std::string_view text) {
    return std::string(JwtKeySet::Parse(text).status().message());
  };

  EXPECT_THAT(fault(""), HasSubstr("is no JSON"));
  EXPECT_THAT(fault("{\"keys\":["), HasSubstr("is no JSON"));
  EXPECT_THAT(fault("[]"), HasSubstr("is no JWKS document"));
  EXPECT_THAT(fault(R"({"keys":{}})"), HasSubstr("is no JWKS document"));
  EXPECT_EQ(fault(R"({"keys":[]})"), "holds no key that could be used");
  EXPECT_EQ(fault(R"({"keys":[{"kty":"AKP"}]})"),
            "holds no key that could be used; key 0 is passed over: its type (kty) is AKP, known "
            "are RSA, EC, OKP and oct");
  EXPECT_THAT(Fault(json::array(kJwksKeysLimit + 1)), HasSubstr("has 65 keys; at most 64"));
}

TEST(JwtKeySet, ReadsAFile) {
  const TempDir dir;
  const auto fault = [](const std::string& path) {
    return std::string(JwtKeySet::FromFile(path).status().message());
  };

  EXPECT_TRUE(JwtKeySet::FromFile(dir.Write("good", Document({RfcEcJwk()}))).ok());
  EXPECT_EQ(fault(dir.Path("none")), "cannot read " + dir.Path("none"));
  EXPECT_THAT(fault(dir.Write("bad", "{")), HasSubstr(dir.Path("bad") + ": is no JSON"));
  EXPECT_THAT(fault(dir.Write("big", std::string(kJwksBytesLimit + 1, ' '))),
              HasSubstr("over 262144 bytes"));
}

}  // namespace
}  // namespace confab::process
