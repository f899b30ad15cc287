#include "control/control_config.h"

#include <fmt/format.h>

#include "control/api/listen_address.h"

namespace confab::control {
namespace {

absl::Status OutOfBounds(const char* option, const char* allowed) {
  return absl::InvalidArgumentError(fmt::format("{}: allowed is {}", option, allowed));
}

}  // namespace

absl::Status ControlConfig::Validate() const {
  if (auto address = ParseListenAddress(control_listen); !address.ok()) return address.status();
  if (store.empty()) return OutOfBounds("store", "sqlite:PATH or postgresql://…");
  if (service_secret_file.empty()) {
    return absl::InvalidArgumentError(
        "service-secret-file is not set: control checks the tokens of services, edges and "
        "confabctl "
        "with it. Make one with: openssl rand -hex 32 > service.secret");
  }
  if (lanes < 0 || lanes > 256) return OutOfBounds("lanes", "0 (one for each core) to 256");
  if (readers < 1 || readers > 64) return OutOfBounds("readers", "1 to 64");
  if (control_id.size() > 128) return OutOfBounds("control-id", "at most 128 bytes");
  return absl::OkStatus();
}

}  // namespace confab::control
