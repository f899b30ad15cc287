// confabctl connection: list, kick.
#include <charconv>
#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tools/confabctl/command_line.h"
#include "tools/confabctl/confirm.h"
#include "tools/confabctl/control_client.h"
#include "tools/confabctl/listing.h"
#include "tools/confabctl/output.h"

namespace confab::ctl {
namespace {

using ConnectionStub = v1::ConnectionService::Stub;

struct KickOptions {
  std::string user;
  std::string connection;
  bool is_yes = false;
};

Exit List(Invocation& run, const std::string& user) {
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  Listing listing(run, "connections", {"CONNECTION", "USER", "DEVICE", "ROLE", "SINCE", "LIVE"});
  v1::ListConnectionsRequest request;
  request.set_user_id(user);
  exit = ForEachPage(
      *client, client->connections(), &ConnectionStub::ListConnections, request,
      [&](const auto& page) {
        for (const v1::ClientConnection& one : page.connections()) {
          listing.Add(
              one, {fmt::format("{}/{}", Printable(one.edge_id()), one.connection()),
                    Printable(one.user_id()), OrDash(one.device_id()), OrDash(one.role_context()),
                    Show(one.since()), one.is_live() ? "yes" : "no"});
        }
        return true;
      });
  if (exit == Exit::kDone) listing.End();
  return exit;
}

// "EDGE/NUMBER" as list shows it; false if it is none.
bool Parse(const std::string& text, v1::KickConnectionsRequest& request) {
  const size_t slash = text.rfind('/');
  if (slash == std::string::npos || slash == 0) return false;
  uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data() + slash + 1, end, number);
  if (error != std::errc() || rest != end || number == 0) return false;
  request.set_edge_id(text.substr(0, slash));
  request.set_connection(number);
  return true;
}

Exit Kick(Invocation& run, const KickOptions& options) {
  v1::KickConnectionsRequest request;
  request.set_user_id(options.user);
  if (!options.connection.empty() && !Parse(options.connection, request)) {
    return run.Fail(Exit::kUsage, fmt::format("{}: give EDGE/NUMBER as connection list shows it",
                                              Printable(options.connection)));
  }
  const std::string question =
      options.connection.empty()
          ? fmt::format("Close every connection of {}?", Printable(options.user))
          : fmt::format("Close connection {} of {}?", Printable(options.connection),
                        Printable(options.user));
  if (!Confirm(run, options.is_yes, question)) return Exit::kUsage;
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  v1::KickConnectionsResponse response;
  exit = client->Call(client->connections(), &ConnectionStub::KickConnections, request, &response);
  if (exit != Exit::kDone) return exit;
  if (run.is_json) {
    run.streams.out << ToJson(response) << '\n';
  } else {
    run.streams.out << fmt::format("kicked {} connection{} of {}\n", response.kicked(),
                                   response.kicked() == 1 ? "" : "s", Printable(options.user));
  }
  return Exit::kDone;
}

}  // namespace

void AddConnectionVerbs(CLI::App& app, Invocation& run) {
  CLI::App* noun = AddNoun(app, "connection", "Lists the connections of clients and closes them");

  auto user = std::make_shared<std::string>();
  CLI::App* list = noun->add_subcommand("list", "Lists connections, by user");
  list->add_option("--user", *user, "Only this user's");
  list->footer("Examples:\n  confabctl connection list\n  confabctl connection list --user ann");
  list->callback([user, &run] { run.verb = [user](Invocation& r) { return List(r, *user); }; });

  auto options = std::make_shared<KickOptions>();
  CLI::App* kick = noun->add_subcommand(
      "kick", "Closes a user's connections; the client is told not to come back by itself");
  kick->add_option("USER", options->user, "The user's id")->required();
  kick->add_option("--connection", options->connection,
                   "Only this one: EDGE/NUMBER as connection list shows it");
  AddYes(*kick, &options->is_yes);
  kick->footer(
      "A token that is still good lets its user in again.\n"
      "\nExamples:\n"
      "  confabctl connection kick ann\n"
      "  confabctl connection kick ann --connection edge-1/513 --yes");
  kick->callback(
      [options, &run] { run.verb = [options](Invocation& r) { return Kick(r, *options); }; });
}

}  // namespace confab::ctl
