// Tokens: nothing but what the key has signed is ever accepted, and what it has signed upsets
// nobody, whatever stands in it.
// Covers: process/jwt.cc process/base64url.cc edge/auth/token_verifier.cc
#include <string>

#include "edge/auth/token_verifier.h"
#include "edge/protocol/utf8.h"
#include "process/base64url.h"
#include "process/jwt.h"
#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  namespace edge = confab::edge;
  namespace process = confab::process;
  using confab::fuzz::Require;
  // None of the seeds is signed with it.
  static const process::JwtKey key = *process::JwtKey::FromSecret("fuzz" + std::string(32, 'k'));
  static const edge::TokenVerifier verifier{process::JwtKeySet(key)};
  static const absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  const std::string_view token = confab::fuzz::View(bytes, size);
  edge::VerifiedUser user;
  Require(verifier.Verify(token, now, user).has_value(), "a token that nobody signed is refused");

  const std::string input(token.substr(0, token.rfind('.')));
  const auto refusal =
      verifier.Verify(input + "." + process::EncodeBase64Url(key.Sign(input)), now, user);
  if (refusal) {
    Require(!refusal->message().empty(), "a refusal says why");
    return 0;
  }
  Require(!user.user.id().empty() && user.user.id().size() <= 128, "a user has an id");
  for (const std::string& text :
       {user.user.id(), user.user.name(), user.email, user.role_context}) {
    Require(edge::IsUtf8(text), "what a token says is text");
  }
  Require(user.expires_at < absl::InfiniteFuture(), "a token ends");
  return 0;
}
