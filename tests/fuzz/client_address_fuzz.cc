// X-Forwarded-For, and addresses.
// Covers: edge/auth/client_address.cc
#include <string>

#include "edge/auth/client_address.h"
#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  namespace edge = confab::edge;
  using confab::fuzz::Require;
  static const edge::ProxyTrust trust = *edge::ProxyTrust::Create({"10.0.0.0/8", "fd00::/8"});
  static const edge::IpAddress proxy = *edge::IpAddress::Parse("10.0.0.1");
  static const edge::IpAddress stranger = *edge::IpAddress::Parse("192.0.2.7");
  const std::string_view text = confab::fuzz::View(bytes, size);
  const edge::ClientAddress client = trust.ClientOf(proxy, text);
  Require(edge::IpAddress::Parse(client.address.ToString()) == client.address,
          "an address that is written is read as it was");
  Require(!client.is_exempt, "behind proxies nobody is exempt");
  Require(trust.ClientOf(stranger, text).address == stranger, "a stranger is not believed");
  return 0;
}
