#include "control/control.h"

#include <atomic>
#include <filesystem>
#include <optional>
#include <string_view>
#include <unistd.h>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "control/api/admin_service.h"
#include "control/api/admission.h"
#include "control/api/connection_service.h"
#include "control/api/edge_service.h"
#include "control/api/event_feed_service.h"
#include "control/api/grpc_server.h"
#include "control/api/message_service.h"
#include "control/api/notification_service.h"
#include "control/api/presence_service.h"
#include "control/api/room_service.h"
#include "control/auth/service_token.h"
#include "control/dispatch/dispatcher.h"
#include "control/edge_link/edge_link_service.h"
#include "control/store_lease.h"
#include "process/log.h"
#include "process/metrics.h"
#include "process/ops_server.h"
#include "process/stopwatch.h"
#include "storage/open_store.h"

namespace confab::control {
namespace {

constexpr std::string_view kSqlite = "sqlite:";

std::string NameOfProcess() {
  char host[256] = {};
  if (gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
  return fmt::format("{}/{}", host, getpid());
}

// The embedded default must work in an empty directory.
absl::Status MakeDirectoryOf(std::string_view store) {
  if (!store.starts_with(kSqlite)) return absl::OkStatus();
  const std::filesystem::path parent =
      std::filesystem::path(store.substr(kSqlite.size())).parent_path();
  std::error_code error;
  if (parent.empty() || std::filesystem::is_directory(parent, error)) return absl::OkStatus();
  std::filesystem::create_directories(parent, error);
  // What people write to each other is nobody else's to read.
  if (!error) std::filesystem::permissions(parent, std::filesystem::perms::owner_all, error);
  if (!error) return absl::OkStatus();
  return absl::NotFoundError(
      fmt::format("store: the directory {} cannot be made: {}", parent.string(), error.message()));
}

DispatcherOptions OptionsOf(const ControlConfig& config) {
  DispatcherOptions options;
  options.lanes = config.lanes;
  options.readers = config.readers;
  options.presence = {config.edge_lease, config.client_heartbeat, config.offline_delay};
  options.presence_settle = config.presence_settle;
  options.receipt_members = config.receipt_members;
  return options;
}

}  // namespace

class Control::Parts {
 public:
  Parts(ControlConfig config, process::Metrics& metrics, ControlHooks hooks)
      : config_(std::move(config)),
        metrics_(metrics),
        hooks_(std::move(hooks)),
        dispatcher_(OptionsOf(config_), metrics, [this](const absl::Status& why) { Fail(why); }) {
    if (config_.control_id.empty()) config_.control_id = NameOfProcess();
    metrics_.AddGaugeFn(
        "confab_control_active", "1 while this control is the active one.", {},
        [this] { return is_active_.load() ? 1.0 : 0.0; }, this);
  }

  ~Parts() {
    Stop(absl::ZeroDuration());
    metrics_.RemoveGaugeFns(this);
  }

  absl::Status Start() {
    if (absl::Status valid = config_.Validate(); !valid.ok()) return valid;
    absl::StatusOr<process::JwtKey> key =
        process::JwtKey::FromSecretFile(config_.service_secret_file);
    if (!key.ok()) {
      return absl::Status(key.status().code(), fmt::format("service-secret-file: {}",
                                                           std::string(key.status().message())));
    }
    if (absl::Status made = MakeDirectoryOf(config_.store); !made.ok()) return made;
    const bool is_unix = config_.control_listen.starts_with("unix:");
    admission_.emplace(ServiceTokenVerifier(*std::move(key)), is_unix);
    if (absl::Status served = Serve(); !served.ok()) return served;
    TakeLease();
    return absl::OkStatus();
  }

  void Stop(absl::Duration deadline) {
    if (server_ == nullptr) return;
    const process::Stopwatch stopping;
    server_->SetServing(false);
    lease_->Stop();
    is_active_ = false;
    dispatcher_.Stop();
    lease_->Release();  // A standby is active while this one still says goodbye.
    server_->Shutdown(deadline - stopping.elapsed());
    server_.reset();
  }

  absl::Status Reload() {
    if (server_ == nullptr) return absl::FailedPreconditionError("control is not started");
    absl::Status reloaded = server_->Reload();
    if (reloaded.ok()) {
      process::LogInfo("reloaded", {{"tls", config_.control_tls.is_given()}});
    } else {
      process::LogError("not reloaded: the certificates in use stay",
                        {{"why", std::string(reloaded.message())}});
    }
    return reloaded;
  }

  std::string address() const { return server_ == nullptr ? "" : server_->address(); }
  std::shared_ptr<grpc::Channel> InProcessChannel() {
    return server_->InProcessChannel(admission_->in_process_key());
  }
  bool is_active() const { return is_active_; }

  absl::Status Readiness() const {
    return lease_ == nullptr ? absl::UnavailableError("not started") : lease_->Readiness();
  }

 private:
  absl::Status Serve() {
    const ApiParts api{dispatcher_, *admission_, metrics_};
    rooms_ = std::make_unique<RoomService>(api);
    messages_ = std::make_unique<MessageService>(api);
    presence_ = std::make_unique<PresenceService>(api);
    connections_ = std::make_unique<ConnectionService>(api);
    edge_states_ = std::make_unique<EdgeService>(api, hooks_.edge_within);
    admin_ = std::make_unique<AdminService>(api);
    notifications_ = std::make_unique<NotificationService>(api);
    feed_ = std::make_unique<EventFeedService>(api);
    edges_ = std::make_unique<EdgeLinkService>(
        dispatcher_, config_.control_id,
        [this](const grpc::CallbackServerContext& call) { return admission_->AdmitEdge(call); },
        [this](std::string_view token, std::string_view method) {
          return AdmitService(token, method);
        });
    absl::StatusOr<std::unique_ptr<GrpcServer>> server =
        GrpcServer::Start(config_, {rooms_.get(), messages_.get(), presence_.get(),
                                    connections_.get(), edge_states_.get(), admin_.get(),
                                    notifications_.get(), feed_.get(), edges_.get()});
    if (!server.ok()) return server.status();
    server_ = *std::move(server);
    process::LogInfo("control listens",
                     {{"address", server_->address()}, {"control_id", config_.control_id}});
    return absl::OkStatus();
  }

  // A service's request over HTTP is a call that came through an edge.
  absl::StatusOr<std::string> AdmitService(std::string_view token, std::string_view method) const {
    auto service = admission_->AdmitToken(token, method);
    if (!service.ok()) return service.status();
    return std::move(service->name);
  }

  void TakeLease() {
    StoreLeaseOptions options;
    options.store_name = storage::RedactedUrl(config_.store);
    options.open = [this] {
      storage::StoreOptions store;
      store.reader_connections = config_.readers;
      store.allow_unsafe_durability = config_.allow_unsafe_durability;
      return storage::OpenStore(config_.store, store);
    };
    options.on_active = [this](storage::Store& store) { Activate(store); };
    options.on_serving = [this](bool is_serving) { server_->SetServing(is_serving); };
    options.on_fatal = [this](const absl::Status& why) { Fail(why); };
    options.lock_interval = config_.lock_interval;
    options.retry_min = config_.store_retry_min;
    options.retry_max = config_.store_retry_max;
    lease_ = std::make_unique<StoreLease>(std::move(options));
    lease_->Start();
  }

  void Activate(storage::Store& store) {
    dispatcher_.Start(store);
    is_active_ = true;
    server_->SetServing(true);
    if (hooks_.on_active) hooks_.on_active();
  }

  void Fail(const absl::Status& why) {
    if (has_failed_.exchange(true)) return;
    is_active_ = false;
    if (hooks_.on_fatal) hooks_.on_fatal(why);
  }

  ControlConfig config_;
  process::Metrics& metrics_;
  const ControlHooks hooks_;
  std::atomic<bool> is_active_{false};
  std::atomic<bool> has_failed_{false};
  std::unique_ptr<StoreLease> lease_;  // Its store outlives the dispatcher.
  Dispatcher dispatcher_;
  std::optional<Admission> admission_;
  std::unique_ptr<RoomService> rooms_;
  std::unique_ptr<MessageService> messages_;
  std::unique_ptr<PresenceService> presence_;
  std::unique_ptr<ConnectionService> connections_;
  std::unique_ptr<EdgeService> edge_states_;
  std::unique_ptr<AdminService> admin_;
  std::unique_ptr<NotificationService> notifications_;
  std::unique_ptr<EventFeedService> feed_;
  std::unique_ptr<EdgeLinkService> edges_;
  std::unique_ptr<GrpcServer> server_;
};

Control::Control(ControlConfig config, process::Metrics& metrics, ControlHooks hooks)
    : parts_(std::make_unique<Parts>(std::move(config), metrics, std::move(hooks))) {}

Control::~Control() = default;

absl::Status Control::Start() { return parts_->Start(); }

void Control::Stop(absl::Duration deadline) { parts_->Stop(deadline); }

absl::Status Control::Reload() { return parts_->Reload(); }

std::string Control::address() const { return parts_->address(); }

std::shared_ptr<grpc::Channel> Control::InProcessChannel() { return parts_->InProcessChannel(); }

bool Control::is_active() const { return parts_->is_active(); }

absl::Status Control::Readiness() const { return parts_->Readiness(); }

void Control::AddChecks(process::OpsServer& ops) const {
  ops.AddCheck("store", [this] { return Readiness(); });
}

}  // namespace confab::control
