// confabctl health: standard gRPC health checking; needs no token.
#include <ostream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "grpc/health/v1/health.grpc.pb.h"
#include "tools/confabctl/command_line.h"
#include "tools/confabctl/control_client.h"
#include "tools/confabctl/output.h"

namespace confab::ctl {
namespace {

using HealthStub = grpc::health::v1::Health::Stub;
using grpc::health::v1::HealthCheckResponse;

Exit Check(Invocation& run) {
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit, /*needs_token=*/false);
  if (client == nullptr) return exit;
  HealthStub stub(client->channel());
  HealthCheckResponse response;
  exit = client->Call(stub, &HealthStub::Check, grpc::health::v1::HealthCheckRequest(), &response);
  if (exit != Exit::kDone) return exit;
  const bool is_serving = response.status() == HealthCheckResponse::SERVING;
  if (run.is_json) run.streams.out << ToJson(response) << '\n';
  if (is_serving) {
    if (!run.is_json) run.streams.out << "serving\n";
    return Exit::kDone;
  }
  return run.Fail(Exit::kRefused,
                  "control runs but does not serve: it is a standby, or waits for its store; its "
                  "log and /readyz?verbose on its ops address say which");
}

}  // namespace

void AddHealthVerb(CLI::App& app, Invocation& run) {
  CLI::App* verb = app.add_subcommand("health", "Says whether control serves; needs no token");
  verb->footer(
      "Exits with 0 if it serves, 1 if it runs but does not serve, 3 if it cannot be reached.\n"
      "\nExamples:\n"
      "  confabctl health\n"
      "  confabctl health --control unix:/run/confab/control.sock --timeout 1s");
  verb->callback([&run] { run.verb = Check; });
}

}  // namespace confab::ctl
