// confabctl edge: list, drain.
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <fmt/format.h>

#include "proto/reason.h"
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
// What confab's control takes at most for its own end, once its edge has ended.
constexpr absl::Duration kOwnEndTime = absl::Seconds(3);
// A control that is started again, or hands over to a standby, answers sooner.
constexpr absl::Duration kSilenceLimit = absl::Seconds(30);

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
grpc::Status Find(ControlClient& client, const std::string& edge_id,
                  std::optional<v1::EdgeState>& found) {
  v1::ListEdgesResponse response;
  grpc::Status status =
      client.Ask(client.edges(), &EdgeStub::ListEdges, v1::ListEdgesRequest(), &response);
  found.reset();
  for (const v1::EdgeState& edge : response.edges()) {
    if (edge.edge_id() == edge_id) found = edge;
  }
  return status;
}

bool IsSameStart(const v1::EdgeState& a, const v1::EdgeState& b) {
  return a.started_at().seconds() == b.started_at().seconds() &&
         a.started_at().nanos() == b.started_at().nanos();
}

// What one look says of the edge that was told.
enum class Sight {
  kThere,
  kGone,     // Another process may have taken its place.
  kUnknown,  // Control does not answer, or not yet again.
  kRefused,
};

Sight SightOf(const grpc::Status& status, const std::optional<v1::EdgeState>& now,
              const v1::EdgeState& told) {
  if (status.ok()) return now && IsSameStart(*now, told) ? Sight::kThere : Sight::kGone;
  const std::string word = ReasonWordOf(status);
  const bool is_away = word.empty() ? IsBroken(status) : TraitsOf(ReasonOfWord(word)).retryable;
  if (is_away) return told.is_within_control() ? Sight::kGone : Sight::kUnknown;
  if (word.empty() && status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    return Sight::kUnknown;
  }
  return Sight::kRefused;
}

void ShowLeft(const Invocation& run, const v1::EdgeState& now) {
  if (run.is_json) {
    run.streams.out << ToJson(now) << std::endl;
  } else {
    run.streams.out << fmt::format("{}: {} connections left", Printable(now.edge_id()),
                                   now.connection_count())
                    << std::endl;
  }
}

Exit ShowEnd(const Invocation& run, const v1::EdgeState& told) {
  if (run.is_json) return Exit::kDone;
  run.streams.out << Printable(told.edge_id())
                  << (told.is_within_control() ? " has ended, and control with it\n"
                                               : " has ended\n");
  return Exit::kDone;
}

// Until the process that was told has ended. The edge within confab takes control along: then
// nobody is left to ask, and that is its end; its control is given the time to finish.
Exit Await(Invocation& run, ControlClient& client, const v1::EdgeState& told) {
  const absl::Time begin_limit = absl::Now() + kBeginLimit;
  Sight last = Sight::kThere;
  absl::Time since = absl::Now();  // Of `last`.
  for (;; absl::SleepFor(kLook)) {
    std::optional<v1::EdgeState> now;
    const grpc::Status status = Find(client, told.edge_id(), now);
    const Sight sight = SightOf(status, now, told);
    if (sight == Sight::kRefused) return client.Explain(status);
    if (std::exchange(last, sight) != sight) since = absl::Now();
    const absl::Duration so_long = absl::Now() - since;
    if (sight == Sight::kGone) {
      const bool is_over = !told.is_within_control() || now || so_long >= kOwnEndTime;
      if (is_over) return ShowEnd(run, told);
    } else if (sight == Sight::kUnknown) {
      if (so_long < kSilenceLimit) continue;
      return run.Fail(
          Exit::kUnreachable,
          fmt::format("{} was told, but control at {} does not answer any more: whether "
                      "it has ended is not known",
                      Printable(told.edge_id()), Printable(run.control)));
    } else if (!now->is_draining() && absl::Now() > begin_limit) {
      return run.Fail(Exit::kRefused, fmt::format("{} was told and has not begun to drain; is its "
                                                  "version older than control's?",
                                                  Printable(told.edge_id())));
    } else {
      ShowLeft(run, *now);
    }
  }
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
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  std::optional<v1::EdgeState> told;
  exit = client->Explain(Find(*client, options.edge, told));
  if (exit != Exit::kDone) return exit;
  const bool ends_control = told && told->is_within_control();
  const std::string question =
      fmt::format("Close all connections of edge {} and end it{}?", Printable(options.edge),
                  ends_control ? ", and control, which runs in the same process" : "");
  if (!Confirm(run, options.is_yes, question)) return Exit::kUsage;
  v1::DrainEdgeResponse response;
  exit = client->Call(client->edges(), &EdgeStub::DrainEdge, request, &response);
  if (exit != Exit::kDone) return exit;
  if (told && options.is_waiting) return Await(run, *client, *told);
  if (run.is_json) {
    run.streams.out << ToJson(response) << '\n';
  } else {
    run.streams.out << Printable(options.edge) << " was told; edge list shows how it goes on"
                    << (ends_control ? ", until control ends with it\n" : "\n");
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
      "The same as TERM to its process; the act stands in the audit table. A supervisor may start\n"
      "it again; who wants it to stay away ends it there. The edge within confab takes control\n"
      "along: --wait ends with exit code 0 when both have ended. A control that is away meanwhile\n"
      "is waited for, half a minute.\n"
      "\nExamples:\n"
      "  confabctl edge drain edge-1\n"
      "  confabctl edge drain edge-1 --time 2m --wait --yes");
  drain->callback(
      [options, &run] { run.verb = [options](Invocation& r) { return Drain(r, *options); }; });
}

}  // namespace confab::ctl
