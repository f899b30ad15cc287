// confabctl audit: list.
#include <algorithm>
#include <memory>
#include <ostream>
#include <string>

#include <CLI/CLI.hpp>

#include "tools/confabctl/command_line.h"
#include "tools/confabctl/control_client.h"
#include "tools/confabctl/output.h"

namespace confab::ctl {
namespace {

constexpr uint32_t kPageSize = 1000;  // The most that one answer may hold.

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

std::string OrDash(const std::string& text) { return text.empty() ? "-" : Printable(text); }

Exit List(Invocation& run, const AuditOptions& options) {
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  Table table({"AT", "WHO", "ACT", "ROOM", "USER", "RESULT", "SEQ", "REQUEST"});
  std::string json;
  v1::ListAuditRequest request;
  request.set_room_id(options.room);
  request.set_actor_id(options.actor);
  request.set_user_id(options.user);
  v1::ListAuditResponse page;
  uint32_t left = options.limit;
  do {
    request.set_page_size(std::min(left, kPageSize));
    exit = client->Call(client->admin(), &v1::AdminService::Stub::ListAudit, request, &page);
    if (exit != Exit::kDone) return exit;
    for (const v1::AuditEntry& entry : page.entries()) {
      if (run.is_jsonl) {
        run.streams.out << ToJson(entry) << '\n';
      } else if (run.is_json) {
        json += (json.empty() ? "" : ",") + ToJson(entry);
      } else {
        table.Add({Show(entry.at()), WhoOf(entry), Printable(entry.act()), OrDash(entry.room_id()),
                   OrDash(entry.user_id()), Printable(entry.result()),
                   entry.seq() > 0 ? std::to_string(entry.seq()) : "-",
                   OrDash(entry.request_id())});
      }
    }
    left -= std::min(left, static_cast<uint32_t>(page.entries_size()));
    request.set_page_token(page.next_page_token());
  } while (left > 0 && !page.next_page_token().empty());
  if (run.is_jsonl) return Exit::kDone;
  if (run.is_json) {
    run.streams.out << "{\"entries\":[" << json << "]}\n";
  } else {
    table.Print(run.streams.out);
  }
  return Exit::kDone;
}

}  // namespace

void AddAuditVerbs(CLI::App& app, Invocation& run) {
  CLI::App* noun = AddNoun(app, "audit", "Shows who did what: the audit table");
  auto options = std::make_shared<AuditOptions>();
  CLI::App* verb = noun->add_subcommand(
      "list", "Lists administrative acts, newest first, with those that were refused");
  verb->add_option("--room", options->room, "Only what concerns this room");
  verb->add_option("--actor", options->actor, "Only what this user asked for");
  verb->add_option("--user", options->user, "Only what concerns this user");
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
