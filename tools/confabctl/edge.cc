// confabctl edge: list, drain.
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include <CLI/CLI.hpp>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <fmt/format.h>

#include "tools/confabctl/command_line.h"
#include "tools/confabctl/confirm.h"
#include "tools/confabctl/control_client.h"
#include "tools/confabctl/listing.h"
#include "tools/confabctl/output.h"

namespace confab::ctl {
namespace {

using EdgeStub = v1::EdgeService::Stub;

constexpr absl::Duration kDrainTimeLimit = absl::Hours(1);  // Control's.
constexpr absl::Duration kLook = absl::Seconds(1);
// For the edge to say that it has begun.
constexpr absl::Duration kBeginLimit = absl::Seconds(10);

struct DrainOptions {
  std::string edge;
  std::string time;
  bool is_waiting = false;
  bool is_yes = false;
};

Exit List(Invocation& run) {
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  v1::ListEdgesResponse response;
  exit = client->Call(client->edges(), &EdgeStub::ListEdges, v1::ListEdgesRequest(), &response);
  if (exit != Exit::kDone) return exit;
  Listing listing(run, "edges", {"EDGE", "VERSION", "STARTED", "ATTACHED", "CONNECTIONS", "STATE"});
  for (const v1::EdgeState& edge : response.edges()) {
    listing.Add(edge, {Printable(edge.edge_id()), OrDash(edge.version()), Show(edge.started_at()),
                       Show(edge.attached_at()), std::to_string(edge.connection_count()),
                       edge.is_draining() ? "draining" : "serving"});
  }
  listing.End();
  return Exit::kDone;
}

// The edge of that name, if it is attached.
Exit Find(const ControlClient& client, EdgeStub& stub, const std::string& edge_id,
          std::optional<v1::EdgeState>& found) {
  v1::ListEdgesResponse response;
  const Exit exit = client.Call(stub, &EdgeStub::ListEdges, v1::ListEdgesRequest(), &response);
  found.reset();
  for (const v1::EdgeState& edge : response.edges()) {
    if (edge.edge_id() == edge_id) found = edge;
  }
  return exit;
}

bool IsSameStart(const v1::EdgeState& a, const v1::EdgeState& b) {
  return a.started_at().seconds() == b.started_at().seconds() &&
         a.started_at().nanos() == b.started_at().nanos();
}

// Until the process that was told has ended; another may have taken its place by then.
Exit Await(Invocation& run, ControlClient& client, const v1::EdgeState& told) {
  const std::string name = Printable(told.edge_id());
  const absl::Time begin_limit = absl::Now() + kBeginLimit;
  for (;;) {
    std::optional<v1::EdgeState> now;
    const Exit exit = Find(client, client.edges(), told.edge_id(), now);
    if (exit != Exit::kDone) return exit;
    if (!now || !IsSameStart(*now, told)) break;
    if (!now->is_draining() && absl::Now() > begin_limit) {
      return run.Fail(Exit::kRefused, fmt::format("{} was told and has not begun to drain; is its "
                                                  "version older than control's?",
                                                  name));
    }
    if (run.is_json) {
      run.streams.out << ToJson(*now) << std::endl;
    } else {
      run.streams.out << fmt::format("{}: {} connections left", name, now->connection_count())
                      << std::endl;
    }
    absl::SleepFor(kLook);
  }
  if (!run.is_json) run.streams.out << name << " has ended\n";
  return Exit::kDone;
}

Exit Drain(Invocation& run, const DrainOptions& options) {
  v1::DrainEdgeRequest request;
  request.set_edge_id(options.edge);
  if (!options.time.empty()) {
    absl::Duration time;
    if (!ParseTime(options.time, &time) || time < absl::Milliseconds(1) || time > kDrainTimeLimit) {
      return run.Fail(Exit::kUsage, "--time: 1ms to 1h, such as 30s");
    }
    request.set_drain_ms(static_cast<uint32_t>(absl::ToInt64Milliseconds(time)));
  }
  if (!Confirm(
          run, options.is_yes,
          fmt::format("Close all connections of edge {} and end it?", Printable(options.edge)))) {
    return Exit::kUsage;
  }
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  std::optional<v1::EdgeState> told;
  if (options.is_waiting) {
    exit = Find(*client, client->edges(), options.edge, told);
    if (exit != Exit::kDone) return exit;
  }
  v1::DrainEdgeResponse response;
  exit = client->Call(client->edges(), &EdgeStub::DrainEdge, request, &response);
  if (exit != Exit::kDone) return exit;
  if (told) return Await(run, *client, *told);
  if (run.is_json) {
    run.streams.out << ToJson(response) << '\n';
  } else {
    run.streams.out << Printable(options.edge) << " was told; edge list shows how it goes on\n";
  }
  return Exit::kDone;
}

}  // namespace

void AddEdgeVerbs(CLI::App& app, Invocation& run) {
  CLI::App* noun = AddNoun(app, "edge", "Lists edges and empties them");

  CLI::App* list = noun->add_subcommand("list", "Lists the edges that are attached to control");
  list->footer("Examples:\n  confabctl edge list\n  confabctl edge list -o json");
  list->callback([&run] { run.verb = List; });

  auto options = std::make_shared<DrainOptions>();
  CLI::App* drain = noun->add_subcommand(
      "drain", "Empties an edge: its clients are closed one after the other, then it ends");
  drain->add_option("EDGE", options->edge, "Its name, as edge list shows it")->required();
  drain->add_option("--time", options->time,
                    "Over which clients are closed: 30s, 5m (default: the edge's --drain-time)");
  drain->add_flag("--wait", options->is_waiting, "Show how many are left until it has ended");
  AddYes(*drain, &options->is_yes);
  drain->footer(
      "The same as TERM to its process. A supervisor may start it again; who wants it to stay "
      "away\n"
      "ends it there. The edge within confab takes control along.\n"
      "\nExamples:\n"
      "  confabctl edge drain edge-1\n"
      "  confabctl edge drain edge-1 --time 2m --wait --yes");
  drain->callback(
      [options, &run] { run.verb = [options](Invocation& r) { return Drain(r, *options); }; });
}

}  // namespace confab::ctl
