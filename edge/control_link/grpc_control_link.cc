#include "edge/control_link/grpc_control_link.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include <absl/synchronization/mutex.h>
#include <absl/time/clock.h>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <grpcpp/support/channel_arguments.h>

#include "edge/control_link/attach_stream.h"
#include "edge/control_link/control_connection.h"
#include "edge/control_link/control_dial.h"
#include "process/jwt.h"
#include "process/log.h"
#include "process/mutex.h"

namespace confab::edge {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kBackoffMin(50);
constexpr milliseconds kBackoffMax(1000);
// A connection over loopback or a Unix socket is there at once or not at all; with TLS to another
// host it takes three round trips.
constexpr milliseconds kConnectTimeLimit(1000);
// The token is looked at when a stream is opened.
constexpr absl::Duration kTokenLife = absl::Minutes(5);
// A batch of control, and one event more.
constexpr int kReceiveBytesLimit = 4 * 1024 * 1024;
// As control's own, so that either side notices a dead peer within 15 s.
constexpr int kKeepaliveMs = 10'000;
constexpr int kKeepaliveTimeoutMs = 5'000;
// From one look at a stream to the next: whether it stalls, and whether it ends when it is to.
constexpr milliseconds kLookEvery(500);
// What a cancelled stream has to end by itself.
constexpr milliseconds kCancelTime(1000);

class GrpcControlLink final : public ControlLink {
 public:
  struct Target {
    std::string name;
    std::unique_ptr<ControlConnection> connection;
    bool is_in_process = false;
  };

  GrpcControlLink(std::vector<Target> targets, std::optional<process::JwtKey> key,
                  std::unique_ptr<process::TlsMaterial> tls, milliseconds stall_time)
      : tls_(std::move(tls)),
        targets_(std::move(targets)),
        key_(std::move(key)),
        stall_time_(stall_time) {}
  ~GrpcControlLink() override { Stop(); }

  void Start(ControlLinkSink& sink) override {
    sink_ = &sink;
    thread_ = std::thread([this] { Run(); });
  }

  void Stop() override {
    {
      const process::MutexLock lock(mu_);
      is_stopping_ = true;
      if (stream_ != nullptr) stream_->Cancel();
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  void Announce(std::uint64_t number, std::vector<v1::Hello> chunks) override {
    if (const auto stream = Present(number)) stream->Announce(std::move(chunks));
  }

  void Send(std::uint64_t number, std::vector<v1::EdgeItem>& items) override {
    if (const auto stream = Present(number)) stream->Send(items);
    items.clear();
  }

  void Reset(std::uint64_t number, std::string_view why) override {
    process::LogError("stream to control given up", {{"why", why}});
    if (const auto stream = Present(number)) stream->Cancel();
  }

 private:
  std::shared_ptr<AttachStream> Present(std::uint64_t number) {
    const process::MutexLock lock(mu_);
    return stream_ != nullptr && stream_->number() == number ? stream_ : nullptr;
  }

  void Run() {
    milliseconds backoff = kBackoffMin;
    bool was_away = true;  // Said in the log already, or not yet worth a line.
    for (std::size_t turn = 0; !IsStopping();) {
      const Target& target = targets_[turn % targets_.size()];
      std::string why = "cannot be reached";
      bool has_served = false;
      // Opening a stream makes the whole edge announce itself: not before there is somebody to listen.
      if (const auto channel = Connect(target)) has_served = Serve(target, channel, why);
      if (IsStopping()) return;
      if (has_served) {
        backoff = kBackoffMin;
        was_away = false;
      } else {
        ++turn;
      }
      if (!was_away || backoff == kBackoffMax) {
        if (!was_away || !is_long_away_) {
          process::LogWarn("control is away; connections stay, commands are refused meanwhile",
                           {{"control", target.name}, {"why", why}});
        }
        is_long_away_ = was_away;
        was_away = true;
      }
      Sleep(backoff);
      backoff = std::min(backoff * 2, kBackoffMax);
    }
  }

  std::shared_ptr<grpc::Channel> Connect(const Target& target) {
    if (!target.is_in_process) TakeRenewedFiles();
    return target.connection->Connect(kConnectTimeLimit);
  }

  // A certificate counts when a connection is made: the files are looked at before that, and need no
  // signal.
  void TakeRenewedFiles() {
    if (tls_ == nullptr) return;
    const absl::Status read = tls_->Reload();
    if (!read.ok() && !is_tls_broken_) {
      process::LogError("the TLS files towards control cannot be used; the last good ones stay",
                        {{"why", std::string(read.message())}});
    }
    is_tls_broken_ = !read.ok();
  }

  // One stream from its beginning to its end. True: control was there.
  bool Serve(const Target& target, const std::shared_ptr<grpc::Channel>& channel,
             std::string& why) {
    const auto stream = std::make_shared<AttachStream>(++last_number_, *sink_);
    {
      const process::MutexLock lock(mu_);
      if (is_stopping_) return false;
      stream_ = stream;
    }
    stream->Open(channel, target.is_in_process ? std::string() : MintToken());
    if (IsStopping()) stream->Cancel();  // Stop may have come before there was a call to cancel.
    AwaitEnd(*stream, target);
    const grpc::Status status = stream->status();
    {
      const process::MutexLock lock(mu_);
      stream_ = nullptr;
    }
    sink_->OnStreamClosed(stream->number());
    why = status.ok() ? "the stream has ended"
                      : fmt::format("code {}: {}", static_cast<int>(status.error_code()),
                                    status.error_message());
    const bool has_answered = stream->has_answered();
    // A call on its way through Send may still hold the stream: it goes with the last of them.
    return has_answered;
  }

  // Also of one that gRPC would not end.
  void AwaitEnd(AttachStream& stream, const Target& target) {
    std::optional<std::chrono::steady_clock::time_point> cut_at;
    while (!stream.WaitFor(kLookEvery)) {
      const auto now = std::chrono::steady_clock::now();
      if (stream.IsStalledFor(stall_time_) && !cut_at) {
        stream.Cancel();
        cut_at = now;
      } else if (IsStopping() && !cut_at) {
        cut_at = now + kCancelTime;
      }
      if (cut_at && *cut_at <= now) target.connection->Cut();
    }
  }

  std::string MintToken() const {
    if (!key_) return {};
    const std::int64_t now = absl::ToUnixSeconds(absl::Now());
    return process::SignJwt({{"sub", "edge"},
                             {"aud", "control"},
                             {"scope", "edge"},
                             {"iat", now},
                             {"exp", now + absl::ToInt64Seconds(kTokenLife)}},
                            *key_);
  }

  bool IsStopping() {
    const process::MutexLock lock(mu_);
    return is_stopping_;
  }

  // Half of it at least: many edges must not come back in one moment.
  void Sleep(milliseconds backoff) {
    std::uniform_int_distribution<std::int64_t> spread(backoff.count() / 2, backoff.count());
    const auto until = std::chrono::steady_clock::now() + milliseconds(spread(random_));
    process::MutexLock lock(mu_);
    while (!is_stopping_ && lock.WaitUntil(wake_, until)) {
    }
  }

  const std::unique_ptr<process::TlsMaterial> tls_;  // Null: without. Outlives the channels.
  const std::vector<Target> targets_;
  const std::optional<process::JwtKey> key_;
  const milliseconds stall_time_;
  ControlLinkSink* sink_ = nullptr;
  std::uint64_t last_number_ = 0;
  std::mt19937 random_{std::random_device{}()};
  bool is_long_away_ = false;
  bool is_tls_broken_ = false;  // Said in the log.

  process::Mutex mu_;
  std::condition_variable wake_;
  std::shared_ptr<AttachStream> stream_ ABSL_GUARDED_BY(mu_);
  bool is_stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

grpc::ChannelArguments LinkArguments() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kReceiveBytesLimit);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);  // Control is no site of the web.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, static_cast<int>(kBackoffMin.count()));
  // Despite its name: how long one attempt to connect may take, on a busy machine too.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, static_cast<int>(kConnectTimeLimit.count()));
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, static_cast<int>(kBackoffMax.count()));
  return arguments;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ControlLink>> DialControl(const LinkOptions& options,
                                                         std::shared_ptr<grpc::Channel> channel) {
  // The packaged abseil is a debug build: it would note each of gRPC's locks in one global graph.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  std::vector<GrpcControlLink::Target> targets;
  std::optional<process::JwtKey> key;
  std::unique_ptr<process::TlsMaterial> tls;
  if (channel != nullptr) {
    targets.push_back({.name = "in process",
                       .connection = ConnectionInProcess(std::move(channel)),
                       .is_in_process = true});
    return std::make_unique<GrpcControlLink>(std::move(targets), std::move(key), std::move(tls),
                                             options.stall_time);
  }
  if (options.tls.is_given()) {
    auto loaded = process::TlsMaterial::Load(options.tls, DialTlsFlags());
    if (!loaded.ok()) return loaded.status();
    tls = *std::move(loaded);
  }
  if (!options.service_secret_file.empty()) {
    absl::StatusOr<process::JwtKey> read =
        process::JwtKey::FromSecretFile(options.service_secret_file);
    if (!read.ok()) return read.status();
    key = std::move(*read);
  }
  for (const std::string& target : options.targets) {
    if (absl::Status good = CheckControlTarget(target, tls != nullptr); !good.ok()) return good;
    if (!target.starts_with("unix:") && !key) {
      return absl::InvalidArgumentError(
          "--service-secret-file is required: control asks an edge for a service token over TCP");
    }
    targets.push_back(
        {.name = target, .connection = ConnectionTo(target, tls.get(), LinkArguments())});
  }
  if (targets.empty()) return absl::InvalidArgumentError("--control names no address");
  return std::make_unique<GrpcControlLink>(std::move(targets), std::move(key), std::move(tls),
                                           options.stall_time);
}

}  // namespace confab::edge
