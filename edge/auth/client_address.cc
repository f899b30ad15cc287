#include "edge/auth/client_address.h"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <cstring>

#include <absl/status/status.h>
#include <fmt/format.h>

namespace confab::edge {
namespace {

// IPv4 within IPv6: ::ffff:0:0/96 (RFC 4291, 2.5.5.2).
constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// A chain of real proxies is two or three long; what is beyond was made up by the client.
constexpr int kHopsLimit = 32;

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool IsPort(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size();
}

// A hop as proxies write it: "203.0.113.7", "203.0.113.7:4711", "2001:db8::1",
// "[2001:db8::1]:4711".
std::optional<IpAddress> ParseHop(std::string_view hop) {
  if (hop.starts_with('[')) {
    const size_t end = hop.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view rest = hop.substr(end + 1);
    if (!rest.empty() && (rest.front() != ':' || !IsPort(rest.substr(1)))) return std::nullopt;
    return IpAddress::Parse(hop.substr(1, end - 1));
  }
  const size_t colon = hop.find(':');
  if (colon != std::string_view::npos && hop.find(':', colon + 1) == std::string_view::npos) {
    if (!IsPort(hop.substr(colon + 1))) return std::nullopt;
    hop = hop.substr(0, colon);
  }
  return IpAddress::Parse(hop);
}

}  // namespace

std::optional<IpAddress> IpAddress::Parse(std::string_view text) {
  const std::string copy(text);
  if (copy.size() != std::strlen(copy.c_str())) return std::nullopt;
  IpAddress address;
  if (inet_pton(AF_INET, copy.c_str(), address.bytes.data() + kMappedPrefix.size()) == 1) {
    std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), address.bytes.begin());
    return address;
  }
  if (inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) == 1) return address;
  return std::nullopt;
}

bool IpAddress::is_v4() const {
  return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin());
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes[kMappedPrefix.size()] == 127;
  return std::all_of(bytes.begin(), bytes.end() - 1, [](std::uint8_t b) { return b == 0; }) &&
         bytes.back() == 1;
}

std::string IpAddress::ToString() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool v4 = is_v4();
  inet_ntop(v4 ? AF_INET : AF_INET6, bytes.data() + (v4 ? kMappedPrefix.size() : 0), text.data(),
            text.size());
  return text.data();
}

absl::StatusOr<ProxyTrust> ProxyTrust::Create(const std::vector<std::string>& networks) {
  ProxyTrust trust;
  for (const std::string& text : networks) {
    const size_t slash = text.find('/');
    const auto address = IpAddress::Parse(std::string_view(text).substr(0, slash));
    const int family_bits = address && address->is_v4() ? 32 : 128;
    int bits = family_bits;
    bool is_good = address.has_value();
    if (is_good && slash != std::string::npos) {
      const char* end = text.data() + text.size();
      const auto [at, error] = std::from_chars(text.data() + slash + 1, end, bits);
      is_good = error == std::errc() && at == end && bits >= 0 && bits <= family_bits;
    }
    if (!is_good) {
      return absl::InvalidArgumentError(fmt::format(
          "trusted proxy \"{}\": write an address or a network, such as 10.0.0.0/8 or fd00::/8",
          text));
    }
    trust.networks_.push_back({*address, bits + 128 - family_bits});
  }
  return trust;
}

bool ProxyTrust::Trusts(const IpAddress& address) const {
  return std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
    const auto whole = static_cast<size_t>(network.bits / 8);
    if (!std::equal(address.bytes.begin(), address.bytes.begin() + network.bits / 8,
                    network.address.bytes.begin())) {
      return false;
    }
    const int rest = network.bits % 8;
    return rest == 0 || (address.bytes[whole] ^ network.address.bytes[whole]) >> (8 - rest) == 0;
  });
}

ClientAddress ProxyTrust::ClientOf(const IpAddress& peer, std::string_view forwarded_for) const {
  ClientAddress client{peer, networks_.empty() && peer.is_loopback()};
  for (int hops = 0; hops < kHopsLimit && Trusts(client.address); ++hops) {
    if (Trimmed(forwarded_for).empty()) break;
    const size_t comma = forwarded_for.rfind(',');
    const bool is_first = comma == std::string_view::npos;
    const auto hop = ParseHop(Trimmed(is_first ? forwarded_for : forwarded_for.substr(comma + 1)));
    if (!hop) break;
    client.address = *hop;
    forwarded_for = is_first ? std::string_view() : forwarded_for.substr(0, comma);
  }
  return client;
}

}  // namespace confab::edge
