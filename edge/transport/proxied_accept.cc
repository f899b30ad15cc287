#include "edge/transport/proxied_accept.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "edge/auth/proxy_header.h"
#include "edge/transport/event_loop.h"
#include "edge/transport/http_talk.h"
#include "process/log.h"

namespace confab::edge {

namespace {

namespace net = boost::asio;
using boost::system::error_code;

// A proxy that is set up wrongly fails with every connection: said at most so often.
constexpr auto kWarnInterval = std::chrono::minutes(1);

}  // namespace

class ProxiedAccept final : private TimerWheel::Entry,
                            public std::enable_shared_from_this<ProxiedAccept> {
 public:
  ProxiedAccept(HttpHome& home, EdgeStream stream) : home_(home), stream_(std::move(stream)) {}

  void Begin() {
    home_.proxied->open.insert(shared_from_this());
    home_.transports.loop.wheel().Arm(*this, home_.limits.header_time);
    Read();
  }

  // Whoever calls it holds a reference.
  void Close() {
    TimerWheel::Entry::Cancel();
    error_code ignored;
    stream_.socket().close(ignored);
    home_.proxied->open.erase(shared_from_this());
  }

 private:
  void OnTimer() override {
    const auto self = shared_from_this();
    Refuse("no PROXY header in time");
  }

  // Without TLS: the header stands in front of it.
  void Read() {
    const std::size_t n = std::min(header_.wanted(), buffer_.size());
    stream_.socket().async_read_some(
        net::buffer(buffer_.data(), n),
        [self = shared_from_this()](error_code error, std::size_t got) {
          if (error) return self->Close();
          self->OnRead(got);
        });
  }

  void OnRead(std::size_t n) {
    switch (header_.Take({buffer_.data(), n})) {
      case ProxyHeaderReader::State::kMore:
        return Read();
      case ProxyHeaderReader::State::kBad:
        return Refuse("no PROXY header, though --proxy-protocol wants one");
      case ProxyHeaderReader::State::kDone:
        break;
    }
    TimerWheel::Entry::Cancel();
    if (header_.client()) stream_.set_peer(*header_.client());
    BeginHttpTalk(home_, std::move(stream_));
    home_.proxied->open.erase(shared_from_this());
  }

  void Refuse(const char* why) {
    const auto now = std::chrono::steady_clock::now();
    if (now - home_.proxied->warned_at > kWarnInterval) {
      home_.proxied->warned_at = now;
      process::LogWarn("a trusted proxy was refused",
                       {{"proxy", stream_.peer().ToString()}, {"reason", why}});
    }
    Close();
  }

  HttpHome& home_;
  EdgeStream stream_;
  ProxyHeaderReader header_;
  std::array<char, 256> buffer_{};
};

void AcceptProxied(HttpHome& home, EdgeStream stream) {
  std::make_shared<ProxiedAccept>(home, std::move(stream))->Begin();
}

void EndProxiedAccepts(HttpHome& home) {
  if (!home.proxied) return;
  const auto open = home.proxied->open;  // They leave it.
  for (const auto& accept : open) accept->Close();
}

}  // namespace confab::edge
