#include "tools/confabctl/control_client.h"

#include <utility>
#include <vector>

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <grpcpp/create_channel.h>

#include "control/api/grpc_address.h"
#include "control/auth/service_token.h"
#include "edge/control_link/control_dial.h"
#include "google/rpc/status.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "proto/reason.h"
#include "tools/confabctl/output.h"

namespace confab::ctl {
namespace {

using control::Scope;

constexpr absl::Duration kTokenLifetime = absl::Minutes(5);  // It is shown when a call starts.
constexpr int kReceiveBytesLimit = 4 * 1024 * 1024;          // What control may send.

// An operator's token: everything but attaching as an edge.
const std::vector<Scope>& OperatorScopes() {
  static const std::vector<Scope> scopes = {
      Scope::kRoomsRead,     Scope::kRoomsWrite,   Scope::kMembersWrite, Scope::kMessagesRead,
      Scope::kMessagesWrite, Scope::kPresenceRead, Scope::kNotify,       Scope::kAdmin};
  return scopes;
}

grpc::ChannelArguments Arguments() {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(kReceiveBytesLimit);
  // `tail` may wait long: a dead control is noticed. Matches what control permits.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 10'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5'000);
  // Despite its name: how long one attempt may take, on a busy machine too.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5'000);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1'000);
  return arguments;
}

// False: printed.
bool FindToken(const Invocation& run, std::string* token, Exit* exit) {
  if (!run.token.empty()) {
    *token = run.token.starts_with("Bearer ") ? run.token.substr(7) : run.token;
    return true;
  }
  if (run.service_secret_file.empty() && !run.context.empty()) {
    *exit = run.Fail(Exit::kNotAuthorised,
                     fmt::format("no token: context {} has none, and with a context none is taken "
                                 "from the environment; set token or service-secret-file there, or "
                                 "--token or --service-secret-file",
                                 Printable(run.context)));
    return false;
  }
  if (run.service_secret_file.empty()) {
    *exit = run.Fail(Exit::kNotAuthorised,
                     "no token: set --token (CONFAB_TOKEN) or --service-secret-file "
                     "(CONFAB_SERVICE_SECRET_FILE), the secret control was started with");
    return false;
  }
  const absl::StatusOr<process::JwtKey> key =
      process::JwtKey::FromSecretFile(run.service_secret_file);
  if (!key.ok()) {
    *exit = run.Fail(Exit::kUsage,
                     fmt::format("--service-secret-file: {}", std::string(key.status().message())));
    return false;
  }
  *token =
      control::MintServiceToken(*key, "confabctl", OperatorScopes(), absl::Now(), kTokenLifetime);
  return true;
}

}  // namespace

std::unique_ptr<ControlClient> ControlClient::Open(const Invocation& run, Exit* exit,
                                                   bool needs_token) {
  const absl::StatusOr<control::GrpcAddress> address =
      control::ParseGrpcAddress("control", run.control, run.tls.is_given());
  if (!address.ok()) {
    *exit = run.Fail(Exit::kUsage, std::string(address.status().message()));
    return nullptr;
  }
  std::unique_ptr<process::TlsMaterial> tls;
  if (run.tls.is_given()) {
    auto loaded = process::TlsMaterial::Load(run.tls, edge::DialTlsFlags());
    if (!loaded.ok()) {
      *exit = run.Fail(Exit::kUsage, std::string(loaded.status().message()));
      return nullptr;
    }
    tls = *std::move(loaded);
  }
  std::string token;
  if (needs_token && !FindToken(run, &token, exit)) return nullptr;
  return std::unique_ptr<ControlClient>(
      new ControlClient(run, address->ToString(), std::move(token), std::move(tls)));
}

ControlClient::ControlClient(const Invocation& run, std::string address, std::string token,
                             std::unique_ptr<process::TlsMaterial> tls)
    : run_(run),
      address_(std::move(address)),
      token_(std::move(token)),
      tls_(std::move(tls)),
      channel_(grpc::CreateCustomChannel(address_, edge::ControlCredentials(address_, tls_.get()),
                                         Arguments())),
      rooms_(v1::RoomService::NewStub(channel_)),
      messages_(v1::MessageService::NewStub(channel_)),
      presence_(v1::PresenceService::NewStub(channel_)),
      connections_(v1::ConnectionService::NewStub(channel_)),
      edges_(v1::EdgeService::NewStub(channel_)),
      admin_(v1::AdminService::NewStub(channel_)) {}

void ControlClient::Prepare(grpc::ClientContext& context) const {
  if (!token_.empty()) context.AddMetadata("authorization", "Bearer " + token_);
}

Exit ControlClient::Probe() const {
  using HealthStub = grpc::health::v1::Health::Stub;
  HealthStub stub(channel_);
  grpc::health::v1::HealthCheckResponse response;
  return Call(stub, &HealthStub::Check, grpc::health::v1::HealthCheckRequest(), &response);
}

std::string ReasonWordOf(const grpc::Status& status) {
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return {};
  google::rpc::ErrorInfo info;
  for (const google::protobuf::Any& detail : details.details()) {
    if (detail.UnpackTo(&info) && info.domain() == "confab") return info.reason();
  }
  return {};
}

bool IsBroken(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::CANCELLED:  // What gRPC answers while it shuts down.
    case grpc::StatusCode::UNKNOWN:    // What it calls a stream that was cut.
      return ReasonWordOf(status).empty();
    default:
      return false;
  }
}

Exit ControlClient::Explain(const grpc::Status& status) const {
  if (status.ok()) return Exit::kDone;
  const std::string word = ReasonWordOf(status);
  if (word.empty()) {
    if (IsBroken(status) && status.error_code() != grpc::StatusCode::UNAVAILABLE) {
      return run_.Fail(
          Exit::kUnreachable,
          fmt::format("the connection to control at {} broke off ({}): try again; what "
                      "was asked may have been done",
                      address_, status.error_message()));
    }
    if (IsBroken(status)) {
      return run_.Fail(Exit::kUnreachable,
                       fmt::format("control is not reachable at {}: is it running? If it listens "
                                   "elsewhere, set --control (CONFAB_CONTROL)",
                                   address_));
    }
    if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
      return run_.Fail(Exit::kUnreachable,
                       fmt::format("control at {} did not answer within {}: try again, or with a "
                                   "longer --timeout; what was asked may have been done",
                                   address_, absl::FormatDuration(run_.timeout)));
    }
    return run_.Fail(Exit::kRefused,
                     fmt::format("control at {} answered: {} (gRPC code {})", address_,
                                 status.error_message(), static_cast<int>(status.error_code())));
  }
  const v1::Reason reason = ReasonOfWord(word);
  const std::string text = fmt::format("{} ({})", status.error_message(), word);
  if (status.error_code() == grpc::StatusCode::UNAUTHENTICATED) {
    return run_.Fail(Exit::kNotAuthorised,
                     fmt::format("{}; show a token signed with control's service secret: --token "
                                 "or --service-secret-file",
                                 text));
  }
  if (reason == v1::REASON_SCOPE_MISSING) {
    return run_.Fail(Exit::kNotAuthorised,
                     fmt::format("{}; mint one that has it: confabctl token mint --service NAME "
                                 "--scopes ...",
                                 text));
  }
  return run_.Fail(Exit::kRefused,
                   TraitsOf(reason).retryable ? fmt::format("{}; try again", text) : text);
}

}  // namespace confab::ctl
