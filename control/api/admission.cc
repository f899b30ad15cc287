#include "control/api/admission.h"

#include <random>
#include <string>
#include <utility>

#include <absl/time/clock.h>
#include <fmt/format.h>

#include "control/status_reason.h"

namespace confab::control {
namespace {

constexpr char kMetadataKey[] = "authorization";
constexpr char kAttach[] = "/confab.v1.EdgeLinkService/Attach";

// 256 bits, in hex.
std::string MakeKey() {
  std::random_device random;  // The kernel's, on every Linux.
  std::string key;
  for (int i = 0; i < 8; ++i) key += fmt::format("{:08x}", random());
  return key;
}

}  // namespace

std::string_view WithoutBearer(std::string_view token) {
  constexpr std::string_view kBearer = "bearer ";
  if (token.size() < kBearer.size()) return token;
  for (size_t i = 0; i < kBearer.size(); ++i) {
    const char c = token[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != kBearer[i]) return token;
  }
  return token.substr(kBearer.size());
}

Admission::Admission(ServiceTokenVerifier verifier, bool is_private_socket)
    : verifier_(std::move(verifier)),
      in_process_key_(MakeKey()),
      is_private_socket_(is_private_socket) {}

absl::StatusOr<ServiceIdentity> Admission::Admit(const grpc::CallbackServerContext& context,
                                                 std::string_view method) const {
  const auto& metadata = context.client_metadata();
  // Two tokens in one call are a mistake or an attack; guessing which one counts would be both.
  if (metadata.count(kMetadataKey) > 1) {
    return RefusalStatus(v1::REASON_TOKEN_INVALID, "the call carries more than one token");
  }
  const auto entry = metadata.find(kMetadataKey);
  if (entry == metadata.end()) {
    return RefusalStatus(v1::REASON_TOKEN_MISSING,
                         "no service token: set the metadata \"authorization: Bearer ...\"");
  }
  return AdmitToken({entry->second.data(), entry->second.size()}, method);
}

absl::StatusOr<ServiceIdentity> Admission::AdmitToken(std::string_view token,
                                                      std::string_view method) const {
  return verifier_.Admit(WithoutBearer(token), method, absl::Now());
}

absl::Status Admission::AdmitEdge(const grpc::CallbackServerContext& context) const {
  if (is_private_socket_ && context.peer().starts_with("unix:")) return absl::OkStatus();
  const auto key = context.client_metadata().find(kInProcessMetadata);
  if (key != context.client_metadata().end() &&
      in_process_key_ == std::string_view(key->second.data(), key->second.size())) {
    return absl::OkStatus();
  }
  return Admit(context, kAttach).status();
}

}  // namespace confab::control
