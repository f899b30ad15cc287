// JWKS documents: refused whole, or keys that none of them lets in a token that nobody signed.
// Covers: process/jwt_key_set.cc process/jwk.cc process/jwt_key.cc
#include <string>

#include "process/jwt.h"
#include "process/jwt_key_set.h"
#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  namespace process = confab::process;
  using confab::fuzz::Require;
  const auto set = process::JwtKeySet::Parse(confab::fuzz::View(bytes, size));
  if (!set.ok()) {
    Require(!set.status().message().empty(), "a fault says what is wrong");
    return 0;
  }
  Require(set->size() > 0 && set->size() <= process::kJwksKeysLimit, "a document has keys");
  static const absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  const std::string signature(86, 'A');
  // {"alg":…} of each kind, {"sub":"a","exp":1900000000}.
  for (const char* header : {"eyJhbGciOiJIUzI1NiJ9", "eyJhbGciOiJSUzI1NiJ9", "eyJhbGciOiJFUzI1NiJ9",
                             "eyJhbGciOiJFZERTQSJ9", "eyJhbGciOiJub25lIn0"}) {
    const std::string token =
        std::string(header) + ".eyJzdWIiOiJhIiwiZXhwIjoxOTAwMDAwMDAwfQ." + signature;
    Require(!process::VerifyJwt(token, *set, {}, now).ok(), "who has not signed is not let in");
  }
  return 0;
}
