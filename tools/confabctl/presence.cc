// confabctl presence: get, list, watch.
#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tools/confabctl/command_line.h"
#include "tools/confabctl/control_client.h"
#include "tools/confabctl/listing.h"
#include "tools/confabctl/output.h"
#include "tools/confabctl/presence_watch.h"

namespace confab::ctl {
namespace {

using PresenceStub = v1::PresenceService::Stub;

std::string DevicesOf(const v1::UserPresence& user) {
  std::string devices;
  for (const v1::OnlineDevice& device : user.devices()) {
    devices += fmt::format("{}{} ({})", devices.empty() ? "" : ", ",
                           device.device_id().empty() ? "-" : Printable(device.device_id()),
                           device.connection_count());
  }
  return devices.empty() ? "-" : devices;
}

Exit Get(Invocation& run, const std::vector<std::string>& users) {
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  v1::GetPresenceRequest request;
  for (const std::string& user : users) request.add_user_ids(user);
  v1::GetPresenceResponse response;
  exit = client->Call(client->presence(), &PresenceStub::GetPresence, request, &response);
  if (exit != Exit::kDone) return exit;
  if (run.is_jsonl) {
    PrintLines(run, response.users());
    return Exit::kDone;
  }
  if (run.is_json) {
    run.streams.out << ToJson(response) << '\n';
    return Exit::kDone;
  }
  Table table({"USER", "STATUS", "LAST SEEN", "DEVICES", "TEXT"});
  for (const v1::UserPresence& user : response.users()) {
    table.Add({Printable(user.presence().user_id()), ShowStatus(user.presence()),
               Show(user.presence().last_seen()), DevicesOf(user), OrDash(user.presence().text())});
  }
  table.Print(run.streams.out);
  return Exit::kDone;
}

Exit List(Invocation& run, const std::string& room) {
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  v1::ListPresenceResponse all;
  v1::ListPresenceRequest request;
  request.set_room_id(room);
  exit = ForEachPage(*client, client->presence(), &PresenceStub::ListPresence, request,
                     [&](const auto& page) {
                       all.MergeFrom(page);
                       return true;
                     });
  if (exit != Exit::kDone) return exit;
  if (run.is_jsonl) {
    PrintLines(run, all.users());
    return Exit::kDone;
  }
  if (run.is_json) {
    all.clear_next_page_token();
    run.streams.out << ToJson(all) << '\n';
    return Exit::kDone;
  }
  Table table({"USER", "STATUS", "TEXT"});
  for (const v1::Presence& user : all.users()) {
    table.Add({Printable(user.user_id()), ShowStatus(user), OrDash(user.text())});
  }
  table.Print(run.streams.out);
  run.streams.out << fmt::format("{} of {} members online\n", all.online_count(),
                                 all.member_count());
  return Exit::kDone;
}

}  // namespace

void AddPresenceVerbs(CLI::App& app, Invocation& run) {
  CLI::App* noun =
      AddNoun(app, "presence", "Shows who is online, of users or of a room, and watches it change");

  auto users = std::make_shared<std::vector<std::string>>();
  CLI::App* get = noun->add_subcommand("get", "Shows users: online or not, status, devices");
  get->add_option("USER", *users, "User ids")->required()->expected(1, 500);
  get->footer("Examples:\n  confabctl presence get ann ben");
  get->callback([users, &run] { run.verb = [users](Invocation& r) { return Get(r, *users); }; });

  auto room = std::make_shared<std::string>();
  CLI::App* list = noun->add_subcommand("list", "Lists who of a room's members is online");
  list->add_option("ROOM", *room, "The room's id")->required();
  list->footer(
      "Examples:\n"
      "  confabctl presence list lobby\n"
      "  confabctl presence list lobby -o json | jq -r '.users[].userId'");
  list->callback([room, &run] { run.verb = [room](Invocation& r) { return List(r, *room); }; });

  AddPresenceWatchVerb(*noun, run);
}

}  // namespace confab::ctl
