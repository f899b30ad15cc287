#include "control/api/grpc_server.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <sys/stat.h>
#include <utility>

#include <absl/synchronization/mutex.h>
#include <absl/time/clock.h>
#include <fmt/format.h>
#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/server_builder_option.h>
#include <grpcpp/impl/server_builder_plugin.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <grpcpp/server_builder.h>

#include "control/api/admission.h"
#include "process/log.h"

namespace confab::control {
namespace {

// A client may ping as often as control itself does, with room for a jittery clock.
constexpr absl::Duration kPingIntervalMin = absl::Seconds(5);

// A token of 8 KiB and what gRPC adds itself.
constexpr int kMetadataBytesLimit = 16 * 1024;

// How often gRPC looks whether its certificate was renewed; a whole number of seconds.
constexpr unsigned kTlsLookSeconds = 1;

// How control names the options of its TLS files.
process::TlsFlags TlsFlagsOfControl() {
  process::TlsFlags flags;
  flags.ca = "control-tls-client-ca";
  return flags;
}

// gRPC's packaged reflection registers itself for every server as soon as it is linked.
class WithoutReflection final : public grpc::ServerBuilderOption {
 public:
  void UpdateArguments(grpc::ChannelArguments* /*arguments*/) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    std::erase_if(*plugins, [](const std::unique_ptr<grpc::ServerBuilderPlugin>& plugin) {
      return plugin->name() == "proto_server_reflection";
    });
  }
};

// Adds the key to the metadata of every call of a channel.
class KeyShowers final : public grpc::experimental::ClientInterceptorFactoryInterface {
 public:
  explicit KeyShowers(std::string key) : key_(std::move(key)) {}

  grpc::experimental::Interceptor* CreateClientInterceptor(
      grpc::experimental::ClientRpcInfo* /*call*/) override {
    return new KeyShower(key_);
  }

 private:
  class KeyShower final : public grpc::experimental::Interceptor {
   public:
    explicit KeyShower(const std::string& key) : key_(key) {}
    void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
      using grpc::experimental::InterceptionHookPoints;
      if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
        methods->GetSendInitialMetadata()->emplace(kInProcessMetadata, key_);
      }
      methods->Proceed();
    }

   private:
    const std::string& key_;  // The factory's, which the channel keeps.
  };

  const std::string key_;
};

void LogOfGrpc(gpr_log_func_args* args) {
  if (args->severity >= GPR_LOG_SEVERITY_ERROR) {
    process::LogWarn("grpc", {{"text", std::string(args->message)}});
  } else {
    process::LogDebug("grpc", {{"text", std::string(args->message)}});
  }
}

// What Protobuf says of malformed requests must not stand in the log as bare text.
void LogOfProtobuf(google::protobuf::LogLevel level, const char* /*file*/, int /*line*/,
                   const std::string& text) {
  if (level >= google::protobuf::LOGLEVEL_ERROR) {
    process::LogWarn("protobuf", {{"text", text}});
  } else {
    process::LogDebug("protobuf", {{"text", text}});
  }
}

// gRPC removes a socket file that is in its way, also one that another process serves.
absl::Status CheckSocketPath(const GrpcAddress& address) {
  struct stat found {};
  if (lstat(address.path.c_str(), &found) != 0) return absl::OkStatus();
  if (!S_ISSOCK(found.st_mode)) {
    return absl::FailedPreconditionError(
        fmt::format("control-listen: {} exists and is no socket; remove it or choose another path",
                    address.path));
  }
  const auto channel = grpc::CreateChannel(address.ToString(), grpc::InsecureChannelCredentials());
  const auto until = std::chrono::system_clock::now() + std::chrono::milliseconds(500);
  grpc_connectivity_state state = channel->GetState(true);
  while (state != GRPC_CHANNEL_TRANSIENT_FAILURE && state != GRPC_CHANNEL_READY &&
         channel->WaitForStateChange(state, until)) {
    state = channel->GetState(true);
  }
  if (state == GRPC_CHANNEL_TRANSIENT_FAILURE) return absl::OkStatus();  // Left by a dead process.
  return absl::FailedPreconditionError(fmt::format(
      "control-listen: another process serves {}; end it or choose another path", address.path));
}

void Configure(grpc::ServerBuilder& builder, const ControlConfig& config) {
  const auto milliseconds = [](absl::Duration time) {
    return static_cast<int>(absl::ToInt64Milliseconds(time));
  };
  builder.SetMaxReceiveMessageSize(config.receive_bytes_limit);
  builder.SetMaxSendMessageSize(config.send_bytes_limit);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, config.streams_limit);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMetadataBytesLimit);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // Else two controls share a port.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, milliseconds(config.keepalive_interval));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, milliseconds(config.keepalive_timeout));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             milliseconds(kPingIntervalMin));
  if (!config.grpc_reflection) builder.SetOption(std::make_unique<WithoutReflection>());
}

// A peer without a certificate that the authority has signed gets no further than the handshake.
std::shared_ptr<grpc::ServerCredentials> Credentials(const process::TlsMaterial* tls) {
  if (tls == nullptr) return grpc::InsecureServerCredentials();
  namespace tls_api = grpc::experimental;
  tls_api::TlsServerCredentialsOptions options(
      std::make_shared<tls_api::FileWatcherCertificateProvider>(
          tls->identity_path(), tls->identity_path(), tls->ca_path(), kTlsLookSeconds));
  options.watch_identity_key_cert_pairs();
  options.watch_root_certs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  return tls_api::TlsServerCredentials(options);
}

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(
    const ControlConfig& config, const std::vector<grpc::Service*>& services) {
  gpr_set_log_function(LogOfGrpc);
  google::protobuf::SetLogHandler(LogOfProtobuf);
  // The packaged abseil is a debug build: it would note each of gRPC's locks in one global graph.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  absl::StatusOr<GrpcAddress> address =
      ParseGrpcAddress("control-listen", config.control_listen, config.control_tls.is_given());
  if (!address.ok()) return address.status();
  std::unique_ptr<process::TlsMaterial> tls;
  if (config.control_tls.is_given()) {
    auto loaded = process::TlsMaterial::Load(config.control_tls, TlsFlagsOfControl());
    if (!loaded.ok()) return loaded.status();
    tls = *std::move(loaded);
  }
  if (address->is_unix) {
    if (absl::Status path = CheckSocketPath(*address); !path.ok()) return path;
  }
  grpc::EnableDefaultHealthCheckService(true);
  if (config.grpc_reflection) grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  Configure(builder, config);
  for (grpc::Service* service : services) builder.RegisterService(service);
  int port = 0;
  builder.AddListeningPort(address->ToString(), Credentials(tls.get()), &port);
  // The socket must never be open to others, not even for the moment before a chmod.
  const mode_t mask = umask(0177);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  umask(mask);
  if (server == nullptr || port == 0) {
    return absl::FailedPreconditionError(fmt::format(
        "control-listen: {} cannot be listened on: is it taken by another process, or its "
        "directory missing? Choose another with --control-listen",
        address->ToString()));
  }
  if (address->is_unix) {
    struct stat made {};
    if (stat(address->path.c_str(), &made) != 0 || (made.st_mode & 077) != 0) {
      server->Shutdown();
      return absl::FailedPreconditionError(fmt::format(
          "control-listen: the mode of {} is not 0600; choose a path in another file system",
          address->path));
    }
  } else {
    address->port = port;
  }
  std::unique_ptr<GrpcServer> self(
      new GrpcServer(*std::move(address), std::move(tls), std::move(server)));
  self->SetServing(false);
  return self;
}

GrpcServer::GrpcServer(GrpcAddress address, std::unique_ptr<process::TlsMaterial> tls,
                       std::unique_ptr<grpc::Server> server)
    : address_(std::move(address)), tls_(std::move(tls)), server_(std::move(server)) {}

GrpcServer::~GrpcServer() { Shutdown(absl::ZeroDuration()); }

absl::Status GrpcServer::Reload() { return tls_ == nullptr ? absl::OkStatus() : tls_->Reload(); }

void GrpcServer::SetServing(bool is_serving) {
  server_->GetHealthCheckService()->SetServingStatus(is_serving);
}

std::shared_ptr<grpc::Channel> GrpcServer::InProcessChannel(const std::string& key) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);  // Both ends are ours; control bounds what it sends.
  std::vector<std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>> interceptors;
  interceptors.push_back(std::make_unique<KeyShowers>(key));
  return server_->experimental().InProcessChannelWithInterceptors(arguments,
                                                                  std::move(interceptors));
}

void GrpcServer::Shutdown(absl::Duration deadline) {
  server_->Shutdown(std::chrono::system_clock::now() + absl::ToChronoNanoseconds(deadline));
}

}  // namespace confab::control
