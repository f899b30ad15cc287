#include "edge/edge.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <future>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <google/protobuf/stubs/logging.h>

#include "edge/auth/user_keys.h"
#include "edge/control_link/control_link.h"
#include "edge/distributor.h"
#include "edge/edge_metrics.h"
#include "edge/edge_recovery.h"
#include "edge/edge_tls.h"
#include "edge/io_thread.h"
#include "edge/protocol/json_text.h"
#include "process/listen_address.h"
#include "process/log.h"
#include "process/metrics.h"
#include "process/ops_server.h"

namespace confab::edge {

namespace {

std::string HostName() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "edge";
  return name.data();
}

// Protobuf complains of each frame it cannot read, on standard error. The client gets its answer, and
// must not be able to fill the log.
void LogOfProtobuf(google::protobuf::LogLevel level, const char* /*file*/, int /*line*/,
                   const std::string& text) {
  if (level == google::protobuf::LOGLEVEL_FATAL) {
    process::LogError("protobuf", {{"text", text}});
  } else {
    process::LogDebug("protobuf", {{"text", text}});
  }
}

absl::StatusOr<std::shared_ptr<const TokenVerifier>> MakeTokens(const EdgeConfig& config) {
  absl::StatusOr<process::JwtKeySet> keys = LoadUserKeys(config);
  if (!keys.ok()) return keys.status();
  process::JwtPolicy policy;
  policy.issuer = config.token_issuer;
  policy.audience = config.token_audience;
  ClaimNames claims = {.user_id = config.user_id_claims,
                       .name = config.name_claims,
                       .email = config.email_claims,
                       .role_context = config.role_claims};
  return std::make_shared<const TokenVerifier>(*std::move(keys), std::move(policy),
                                               std::move(claims));
}

AddressLimits AddressLimitsOf(const EdgeConfig& config) {
  const auto failures = static_cast<std::uint32_t>(config.failed_logins_limit);
  return {.sessions = static_cast<std::size_t>(config.address_sessions_limit),
          .opens = *RateLimit::Parse(config.rate_opens),
          .failures = {.per_period = failures, .burst = failures, .period_seconds = 60}};
}

// The part of one io thread: the kernel spreads new connections evenly.
RateLimit ShareOf(RateLimit limit, std::size_t threads) {
  if (limit.is_off()) return limit;
  const auto share = [&](std::uint32_t all) {
    return static_cast<std::uint32_t>((all + threads - 1) / threads);
  };
  limit.per_period = share(limit.per_period);
  limit.burst = share(limit.burst);
  return limit;
}

IoLimits LimitsOf(const EdgeConfig& config, std::size_t threads) {
  return {
      .connection = {.frames = *RateLimit::Parse(config.rate_frames),
                     .sends = *RateLimit::Parse(config.rate_sends),
                     .joins = *RateLimit::Parse(config.rate_joins),
                     .rooms = static_cast<std::size_t>(config.rooms_limit),
                     .token = {.lead = config.token_lead, .grace = config.token_grace}},
      .heartbeat = {.open = config.open_time_limit,
                    .hold = config.connect_hold,
                    .ping_interval = config.ping_interval,
                    .ping_timeout = config.ping_timeout},
      .transport = {.message_bytes = static_cast<std::size_t>(config.message_bytes_limit),
                    .fragments = config.fragments_limit,
                    .message_time = config.message_time_limit,
                    .outbox_bytes = static_cast<std::size_t>(config.outbox_bytes_limit),
                    .stall_time = config.stall_time_limit,
                    .outbox_budget = static_cast<std::size_t>(config.outbox_budget) / threads,
                    .transports = static_cast<std::size_t>(config.connections_limit) / threads + 1,
                    .upgrade_time = config.upgrade_time_limit},
      .http = {.handshake_time = config.handshake_time_limit,
               .header_time = config.header_time_limit,
               .body_time = config.body_time_limit,
               .idle_time = config.idle_time_limit,
               .accepts = ShareOf(*RateLimit::Parse(config.rate_accepts), threads),
               .header_bytes = static_cast<std::uint32_t>(config.header_bytes_limit)}};
}

absl::StatusOr<IoSettings> MakeSettings(const EdgeConfig& config, std::size_t threads,
                                        bool is_loopback, std::uint64_t epoch) {
  absl::StatusOr<std::shared_ptr<const TokenVerifier>> tokens = MakeTokens(config);
  if (!tokens.ok()) return tokens.status();
  absl::StatusOr<std::shared_ptr<const TlsKeys>> tls = LoadEdgeTls(config);
  if (!tls.ok()) return tls.status();
  absl::StatusOr<OriginPolicy> origins = OriginPolicy::Create(config.allowed_origins, is_loopback);
  if (!origins.ok()) return origins.status();
  absl::StatusOr<ProxyTrust> proxies = ProxyTrust::Create(config.trusted_proxies);
  if (!proxies.ok()) return proxies.status();
  absl::StatusOr<DialectSet> dialects = DialectSet::Load(config.dialect_dir);
  if (!dialects.ok()) return dialects.status();
  const std::size_t default_dialect = *dialects->IndexOf(config.dialect);
  std::vector<bool> recovering(config.recovery.empty() ? 0 : dialects->size());
  for (const std::string& name : config.recovery) recovering[*dialects->IndexOf(name)] = true;
  return IoSettings{.tokens = *std::move(tokens),
                    .origins = std::move(*origins),
                    .proxies = *std::move(proxies),
                    .reads_proxy_headers = config.proxy_protocol,
                    .dialects = std::move(*dialects),
                    .default_dialect = default_dialect,
                    .namespaces = config.namespaces,
                    .epoch_name = fmt::format("{:x}", epoch),
                    .recovering_dialects = std::move(recovering),
                    .limits = LimitsOf(config, threads),
                    .routes = {.engineio = {{.prefix = config.socketio_path}}},
                    .tls = *std::move(tls),
                    .sid_edge = static_cast<std::uint16_t>(epoch),
                    .command_deadline = config.command_deadline};
}

}  // namespace

class Edge::Parts {
 public:
  Parts(EdgeConfig given, process::Metrics& registry, LinkMaker maker,
        std::unique_ptr<ControlLink> made_link)
      : config(std::move(given)),
        metrics(registry),
        make_link(std::move(maker)),
        link(std::move(made_link)) {}

  absl::Status Start();
  void StartRecovery();
  absl::Status Reload(const absl::StatusOr<EdgeConfig>& fresh);
  void BeginDrain(absl::Duration time);
  DrainFigures drain_figures() const;
  void Stop(absl::Duration deadline);

  EdgeConfig config;
  EdgeMetrics metrics;
  LinkMaker make_link;
  std::unique_ptr<ControlLink> link;
  std::unique_ptr<IoSettings> settings;
  std::unique_ptr<SharedTables> tables;
  std::unique_ptr<Distributor> distributor;
  std::unique_ptr<EdgeRecovery> recovery;  // Null: it is off.
  std::vector<std::unique_ptr<IoThread>> threads;
  std::string address;
  std::function<void()> wake;
  std::atomic<std::int64_t> drain_wanted_ms = -1;  // Below 0: nobody wants it.
  bool is_running = false;
};

absl::Status Edge::Parts::Start() {
  if (absl::Status status = config.Validate(); !status.ok()) return status;
  const process::ListenAddress listen = *process::ParseListenAddress(config.listen);
  const std::size_t count = config.io_threads > 0
                                ? static_cast<std::size_t>(config.io_threads)
                                : std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1,
                                                          TopicTable::kThreadsLimit);
  const auto epoch = static_cast<std::uint64_t>(absl::ToUnixMicros(absl::Now()));
  absl::StatusOr<IoSettings> made = MakeSettings(config, count, listen.is_loopback, epoch);
  if (!made.ok()) return made.status();
  settings = std::make_unique<IoSettings>(std::move(*made));
  ShowEdgeTls(settings->tls.get(), metrics);
  tables = std::make_unique<SharedTables>(AddressLimitsOf(config), metrics.refused_sessions,
                                          static_cast<std::size_t>(config.user_connections_limit));
  if (link == nullptr) {
    absl::StatusOr<std::unique_ptr<ControlLink>> made_link = make_link(config);
    if (!made_link.ok()) return made_link.status();
    link = std::move(*made_link);
  }

  // The name of the edge holds the port, which the first thread's listener finds out.
  EdgeIdentity identity{.edge_id = config.edge_id, .epoch = epoch, .version = CONFAB_VERSION};
  distributor = std::make_unique<Distributor>(*link, metrics);
  distributor->SetDrain([this](absl::Duration time) {
    if (time == absl::ZeroDuration()) time = config.drain_time;
    drain_wanted_ms = absl::ToInt64Milliseconds(time);
    if (wake != nullptr) wake();
  });
  std::uint16_t port = listen.port;
  std::vector<Distributor::Recipient*> recipients;
  for (std::size_t i = 0; i < count; ++i) {
    threads.push_back(std::make_unique<IoThread>(static_cast<std::uint8_t>(i), *settings, *tables,
                                                 *link, *distributor, metrics));
    absl::StatusOr<std::uint16_t> bound = threads.back()->Open(listen.host, port, i == 0);
    if (!bound.ok()) return bound.status();
    port = *bound;
    recipients.push_back(threads.back().get());
  }
  address = process::ShowAddress(listen.host, port);
  if (identity.edge_id.empty()) identity.edge_id = fmt::format("{}:{}", HostName(), port);
  settings->identity = identity;
  distributor->Prepare(std::move(identity), std::move(recipients));
  if (!config.recovery.empty()) StartRecovery();
  std::vector<IoThread*> peers;
  for (const auto& thread : threads) peers.push_back(thread.get());
  for (const auto& thread : threads) thread->SetPeers(peers);
  for (const auto& thread : threads) thread->Start();
  is_running = true;
  link->Start(*distributor);
  return absl::OkStatus();
}

// The threads know the edge's name now, and do not run yet.
void Edge::Parts::StartRecovery() {
  std::string quoted;
  AppendJsonString(OffsetBeginning(settings->identity.edge_id, settings->identity.epoch), quoted);
  settings->offset_beginning = quoted.substr(1, quoted.size() - 2);
  distributor->KeepBroadcasts();
  recovery = std::make_unique<EdgeRecovery>(*distributor,
                                            LostSessions::Limits{.time = config.recovery_time});
  recovery->SetEndSocket([this](std::uint64_t connection, const Pid& pid,
                                const std::string& user_id, absl::AnyInvocable<void()> done) {
    // The low byte of a connection's number is its thread.
    threads[connection & 0xff]->PostEndSocket(connection, pid, user_id, std::move(done));
  });
  for (const auto& thread : threads) thread->SetRecovery(*recovery);
  distributor->SetRecovery(
      [this](const v1::RecoveryQuestion& question, Distributor::SessionFound found) {
        recovery->Find({.pid = question.pid(),
                        .user_id = question.user_id(),
                        .dialect = question.dialect(),
                        .nsp = question.namespace_(),
                        .number = question.n()},
                       [found = std::move(found)](EdgeRecovery::Answer answer) mutable {
                         found(std::move(answer.session));
                       });
      });
}

absl::Status Edge::Parts::Reload(const absl::StatusOr<EdgeConfig>& fresh) {
  if (!is_running) return absl::FailedPreconditionError("the edge is not started");
  const auto fail = [this](const absl::Status& why) {
    metrics.reloads_failed.Add();
    process::LogError("not reloaded: the keys in use stay, and the limits",
                      {{"why", std::string(why.message())}});
    return why;
  };
  if (!fresh.ok()) return fail(fresh.status());
  if (absl::Status status = fresh->Validate(); !status.ok()) return fail(status);
  const absl::StatusOr<std::shared_ptr<const TokenVerifier>> tokens = MakeTokens(config);
  if (!tokens.ok()) return fail(tokens.status());
  const absl::StatusOr<std::shared_ptr<const TlsKeys>> tls = LoadEdgeTls(config);
  if (!tls.ok()) return fail(tls.status());

  const auto limits = std::make_shared<const IoLimits>(LimitsOf(*fresh, threads.size()));
  tables->addresses.SetLimits(AddressLimitsOf(*fresh));
  tables->users.SetLimit(static_cast<std::size_t>(fresh->user_connections_limit));
  for (const auto& thread : threads) {
    thread->PostTokens(*tokens);
    thread->PostTls(*tls);
    thread->PostLimits(limits);
  }
  ShowEdgeTls(tls->get(), metrics);
  metrics.reloads_done.Add();
  process::LogInfo("reloaded", {{"keys", static_cast<std::int64_t>((*tokens)->key_count())}});
  return absl::OkStatus();
}

void Edge::Parts::BeginDrain(absl::Duration time) {
  if (!is_running) return;
  distributor->OnDraining(time);
  for (const auto& thread : threads) thread->BeginDrain(time);
}

Edge::DrainFigures Edge::Parts::drain_figures() const {
  DrainFigures sum{.is_over = true};
  for (const auto& thread : threads) {
    const ThreadEnd::Figures figures = thread->drain_figures();
    sum.clients += figures.clients;
    sum.commands += figures.commands;
    sum.is_over = sum.is_over && figures.has_begun && figures.clients == 0;
  }
  return sum;
}

void Edge::Parts::Stop(absl::Duration deadline) {
  if (!std::exchange(is_running, false)) return;
  const auto until = std::chrono::steady_clock::now() + absl::ToChronoMilliseconds(deadline);
  std::vector<std::future<void>> stopped;
  for (const auto& thread : threads) stopped.push_back(thread->BeginStop());
  for (const std::future<void>& one : stopped) {
    if (one.wait_until(until) != std::future_status::ready && deadline > absl::ZeroDuration()) {
      process::LogWarn("clients are still connected at the end of the time to stop");
      break;
    }
  }
  link->Stop();
  for (const auto& thread : threads) thread->Join();
}

Edge::Edge(EdgeConfig config, process::Metrics& metrics, LinkMaker make_link)
    : parts_(std::make_unique<Parts>(std::move(config), metrics, std::move(make_link), nullptr)) {}

Edge::Edge(EdgeConfig config, process::Metrics& metrics, std::unique_ptr<ControlLink> link)
    : parts_(std::make_unique<Parts>(std::move(config), metrics, nullptr, std::move(link))) {}

Edge::~Edge() { parts_->Stop(absl::ZeroDuration()); }

absl::Status Edge::Start() {
  google::protobuf::SetLogHandler(LogOfProtobuf);
  return parts_->Start();
}

void Edge::BeginDrain(absl::Duration time) { parts_->BeginDrain(time); }

Edge::DrainFigures Edge::drain_figures() const { return parts_->drain_figures(); }

void Edge::Stop(absl::Duration deadline) { parts_->Stop(deadline); }

void Edge::SetDrainHook(std::function<void()> wake) { parts_->wake = std::move(wake); }

std::optional<absl::Duration> Edge::drain_wanted() const {
  const std::int64_t wanted_ms = parts_->drain_wanted_ms;
  if (wanted_ms < 0) return std::nullopt;
  return absl::Milliseconds(wanted_ms);
}

absl::Status Edge::Reload() { return parts_->Reload(parts_->config); }

absl::Status Edge::Reload(const absl::StatusOr<EdgeConfig>& fresh) { return parts_->Reload(fresh); }

std::string Edge::address() const { return parts_->address; }

absl::Status Edge::Readiness() const {
  if (parts_->distributor != nullptr && parts_->distributor->is_attached()) return absl::OkStatus();
  return absl::UnavailableError("not attached to control");
}

void Edge::AddChecks(process::OpsServer& ops) const {
  ops.AddCheck("control-link", [this] { return Readiness(); });
}

}  // namespace confab::edge
