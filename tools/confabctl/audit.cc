// confabctl audit: list.
#include <memory>
#include <ostream>
#include <string>

#include <CLI/CLI.hpp>

#include "tools/confabctl/command_line.h"
#include "tools/confabctl/control_client.h"
#include "tools/confabctl/listing.h"
#include "tools/confabctl/output.h"

namespace confab::ctl {
namespace {

struct AuditOptions {
  std::string room;
  std::string actor;
  std::string user;
  uint32_t limit = 100;
};

std::string WhoOf(const v1::AuditEntry& entry) {
  if (!entry.actor_id().empty()) return Printable(entry.actor_id());
  return entry.service().empty() ? "-" : "service " + Printable(entry.service());
}

Exit List(Invocation& run, const AuditOptions& options) {
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  Listing listing(run, "entries", {"AT", "WHO", "ACT", "ROOM", "USER", "RESULT", "SEQ", "REQUEST"});
  v1::ListAuditRequest request;
  request.set_room_id(options.room);
  request.set_actor_id(options.actor);
  request.set_user_id(options.user);
  uint32_t left = options.limit;
  exit = ForEachPage(
      *client, client->admin(), &v1::AdminService::Stub::ListAudit, request, [&](const auto& page) {
        for (const v1::AuditEntry& entry : page.entries()) {
          if (left == 0) break;
          --left;
          listing.Add(
              entry,
              {Show(entry.at()), WhoOf(entry), Printable(entry.act()), OrDash(entry.room_id()),
               OrDash(entry.user_id()), Printable(entry.result()),
               entry.seq() > 0 ? std::to_string(entry.seq()) : "-", OrDash(entry.request_id())});
        }
        return left > 0;
      });
  if (exit == Exit::kDone) listing.End();
  return exit;
}

}  // namespace

void AddAuditVerbs(CLI::App& app, Invocation& run) {
  CLI::App* noun = AddNoun(app, "audit", "Shows who did what: the audit table");
  auto options = std::make_shared<AuditOptions>();
  CLI::App* verb = noun->add_subcommand(
      "list", "Lists administrative acts, newest first, with those that were refused");
  verb->add_option("--room", options->room, "Only what concerns this room");
  verb->add_option("--actor", options->actor, "Only what this user asked for");
  verb->add_option("--user", options->user, "Only what concerns this user, or this edge");
  verb->add_option("--limit", options->limit, "At most so many")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  verb->footer(
      "Examples:\n"
      "  confabctl audit list\n"
      "  confabctl audit list --room lobby --user eve\n"
      "  confabctl audit list --limit 5000 -o jsonl");
  verb->callback(
      [options, &run] { run.verb = [options](Invocation& r) { return List(r, *options); }; });
}

}  // namespace confab::ctl
