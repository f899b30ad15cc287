// proxy_header.h: what a proxy says of a connection before its first byte: the PROXY protocol of
// HAProxy, versions 1 and 2 (haproxy.org, proxy-protocol.txt).
// Owns: the bytes of one header.   Used by: proxied_accept.
// Threads: caller serialises. Pure.
// Fails: kBad; whatever does not begin as the protocol wants is no header.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "edge/auth/client_address.h"

namespace confab::edge {

class ProxyHeaderReader {
 public:
  enum class State { kMore, kDone, kBad };

  // Version 1 ends after 107 bytes. Version 2 may carry notes of any length (certificate names and
  // the like); balancers send some hundred bytes of them.
  static constexpr std::size_t kVersion1Limit = 107;
  static constexpr std::size_t kVersion2Limit = 2048;

  // How many bytes may be given next, at least 1 while kMore: never one behind the header's end.
  std::size_t wanted() const { return wanted_; }

  // The next bytes of the connection, at most wanted().
  State Take(std::string_view bytes);

  // After kDone: the client; nullopt: the proxy speaks for itself, or names no address.
  const std::optional<IpAddress>& client() const { return client_; }

 private:
  State TakeText();
  State TakeBinary();
  State ReadText(std::string_view line);
  State ReadBinary();
  State Want(std::size_t bytes);

  // The shortest header is "PROXY UNKNOWN\r\n".
  static constexpr std::size_t kShortest = 15;

  std::string bytes_;
  std::size_t wanted_ = kShortest;
  std::optional<IpAddress> client_;
};

}  // namespace confab::edge
