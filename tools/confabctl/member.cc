// confabctl member: list, kick, role. Adding stands in member_add.cc, bans and mutes in
// member_restrict.cc.
#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tools/confabctl/command_line.h"
#include "tools/confabctl/control_client.h"
#include "tools/confabctl/listing.h"
#include "tools/confabctl/member_add.h"
#include "tools/confabctl/member_restrict.h"
#include "tools/confabctl/output.h"

namespace confab::ctl {
namespace {

using RoomStub = v1::RoomService::Stub;

struct MemberOptions {
  std::string room;
  std::string user;
  std::vector<std::string> users;
  std::string role;
};

Exit Remove(Invocation& run, const MemberOptions& options) {
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  v1::RemoveMembersRequest request;
  request.set_room_id(options.room);
  for (const std::string& user : options.users) request.add_user_ids(user);
  v1::RemoveMembersResponse response;
  exit = client->Call(client->rooms(), &RoomStub::RemoveMembers, request, &response);
  if (exit != Exit::kDone) return exit;
  if (run.is_json) {
    run.streams.out << ToJson(response) << '\n';
  } else {
    run.streams.out << fmt::format("removed {} of {} from {}\n", response.removed(),
                                   options.users.size(), Printable(options.room));
  }
  return Exit::kDone;
}

Exit List(Invocation& run, const MemberOptions& options) {
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  Listing listing(run, "members", {"USER", "ROLE", "SINCE", "MUTED UNTIL"});
  v1::ListMembersRequest request;
  request.set_room_id(options.room);
  exit =
      ForEachPage(*client, client->rooms(), &RoomStub::ListMembers, request, [&](const auto& page) {
        for (const v1::Member& member : page.members()) {
          listing.Add(member,
                      {Printable(member.user_id()), Show(member.role()), Show(member.changed_at()),
                       Show(member.has_muted() ? &member.muted() : nullptr)});
        }
        return true;
      });
  if (exit == Exit::kDone) listing.End();
  return exit;
}

Exit SetRole(Invocation& run, const MemberOptions& options) {
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  v1::SetMemberRoleRequest request;
  request.set_room_id(options.room);
  request.set_user_id(options.user);
  request.set_role(RoleOfWord(options.role));
  v1::SetMemberRoleResponse response;
  exit = client->Call(client->rooms(), &RoomStub::SetMemberRole, request, &response);
  if (exit != Exit::kDone) return exit;
  if (run.is_json) {
    run.streams.out << ToJson(response.member()) << '\n';
  } else {
    run.streams.out << fmt::format("{} is {} in {}\n", Printable(response.member().user_id()),
                                   Show(response.member().role()), Printable(options.room));
  }
  return Exit::kDone;
}

CLI::App* AddVerb(CLI::App& noun, Invocation& run, const std::shared_ptr<MemberOptions>& options,
                  const std::string& name, const std::string& what, const std::string& examples,
                  Exit (*act)(Invocation&, const MemberOptions&)) {
  CLI::App* verb = noun.add_subcommand(name, what);
  verb->add_option("ROOM", options->room, "The room's id")->required();
  verb->footer("Examples:\n" + examples);
  verb->callback([options, act, &run] {
    run.verb = [options, act](Invocation& r) { return act(r, *options); };
  });
  return verb;
}

}  // namespace

void AddMemberVerbs(CLI::App& app, Invocation& run) {
  CLI::App* noun = AddNoun(app, "member", "Adds, kicks, bans, mutes and lists members, sets roles");
  AddMemberAddVerb(*noun, run);

  auto remove = std::make_shared<MemberOptions>();
  CLI::App* kick =
      AddVerb(*noun, run, remove, "kick",
              "Removes members; they get no further event of the room. Into a public room they may "
              "come back: see ban",
              "  confabctl member kick lobby ann ben", Remove);
  kick->alias("remove");
  kick->add_option("USER", remove->users, "At most 1,000 users; who is no member is passed over")
      ->required();

  AddMemberRestrictVerbs(*noun, run);

  auto list = std::make_shared<MemberOptions>();
  AddVerb(*noun, run, list, "list", "Lists members by user id",
          "  confabctl member list lobby\n"
          "  confabctl member list lobby -o json | jq -r '.members[].userId'",
          List);

  auto role = std::make_shared<MemberOptions>();
  CLI::App* verb = AddVerb(*noun, run, role, "role", "Gives a member another role",
                           "  confabctl member role lobby ann moderator", SetRole);
  verb->add_option("USER", role->user, "The member")->required();
  verb->add_option("ROLE", role->role, "The new role")
      ->required()
      ->check(CLI::IsMember(RoleWords()));
}

}  // namespace confab::ctl
