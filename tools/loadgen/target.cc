#include "tools/loadgen/target.h"

#include <charconv>

#include <fmt/format.h>

namespace confab::loadgen {
namespace {

constexpr std::string_view kScheme = "ws://";
constexpr std::string_view kDefaultPath = "/socket.io/";
constexpr uint16_t kDefaultPort = 80;

absl::Status Bad(std::string_view url, const char* what) {
  return absl::InvalidArgumentError(fmt::format("--url {}: {}", url, what));
}

// "HOST:PORT", "[::1]:PORT", either without a port.
bool SplitAuthority(std::string_view authority, Target& target) {
  std::string_view port;
  if (authority.starts_with('[')) {
    const size_t end = authority.find(']');
    if (end == std::string_view::npos) return false;
    target.host = authority.substr(1, end - 1);
    port = authority.substr(end + 1);
  } else {
    const size_t colon = authority.find(':');
    target.host = authority.substr(0, colon);
    if (colon != std::string_view::npos) port = authority.substr(colon);
  }
  target.port = kDefaultPort;
  if (target.host.empty()) return false;
  if (port.empty()) return true;
  const char* end = port.data() + port.size();
  const auto result = std::from_chars(port.data() + 1, end, target.port);
  return port.front() == ':' && result.ec == std::errc() && result.ptr == end && target.port != 0;
}

}  // namespace

std::string Target::Show() const { return "ws://" + host_header; }

absl::StatusOr<Target> ParseTarget(std::string_view url) {
  std::string_view rest = url;
  if (url.starts_with("http://")) {  // What a ready file and tools/up say.
    rest.remove_prefix(7);
  } else if (url.starts_with("wss://") || url.starts_with("https://")) {
    return Bad(url, "TLS is not spoken here: load the plain port of an edge or of its proxy");
  } else if (url.starts_with(kScheme)) {
    rest.remove_prefix(kScheme.size());
  } else {
    return Bad(url, "give ws://HOST:PORT");
  }
  const size_t slash = rest.find('/');
  Target target;
  target.host_header = rest.substr(0, slash);
  if (!SplitAuthority(target.host_header, target)) return Bad(url, "give ws://HOST:PORT");
  std::string path(slash == std::string_view::npos ? "/" : rest.substr(slash));
  if (path.find_first_of("?# \r\n") != std::string::npos) {
    return Bad(url, "a path has no query; what Socket.IO asks is added");
  }
  if (path == "/") path = kDefaultPath;
  if (path.back() != '/') path += '/';
  target.socket_path = path + "?EIO=4&transport=websocket";
  return target;
}

}  // namespace confab::loadgen
