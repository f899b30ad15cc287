// client_address.h: who a peer stands for: itself, or the client that trusted proxies say it is.
// Owns: the networks of the proxies.   Used by: per-address limits, logs.
// Threads: immutable; any thread.
// Fails: Create with INVALID_ARGUMENT. What a header says and cannot be read is not believed: the
// client is then the last hop that could be.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

namespace confab::edge {

// Written out, an IPv6 address in the form of RFC 5952; IPv4 mapped into IPv6 is IPv4. 16 bytes, so
// that both families compare alike.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};

  static std::optional<IpAddress> Parse(std::string_view text);
  bool is_v4() const;
  bool is_loopback() const;  // 127.0.0.0/8 or ::1.
  std::string ToString() const;

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
};

struct ClientAddress {
  IpAddress address;
  // Limits per address do not strike it: a peer on loopback that no proxy has spoken for. Where
  // proxies are configured nobody is exempt, since a proxy's users would all be.
  bool is_exempt = false;
};

class ProxyTrust {
 public:
  // Networks as "10.0.0.0/8", "fd00::/8", or one address. With none no header is believed.
  static absl::StatusOr<ProxyTrust> Create(const std::vector<std::string>& networks);

  // `forwarded_for`: all X-Forwarded-For lines joined by commas, as they came. Read from its end:
  // each trusted hop vouches for the one before it, and the first that is not trusted is the client.
  ClientAddress ClientOf(const IpAddress& peer, std::string_view forwarded_for) const;

  bool Trusts(const IpAddress& address) const;

 private:
  struct Network {
    IpAddress address;
    int bits = 128;  // Of the 16 bytes.
  };

  std::vector<Network> networks_;
};

}  // namespace confab::edge
