// confabctl room: create, list, show, delete. What changes a room stands in room_update.cc.
#include <map>
#include <memory>
#include <ostream>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tools/confabctl/command_line.h"
#include "tools/confabctl/confirm.h"
#include "tools/confabctl/control_client.h"
#include "tools/confabctl/listing.h"
#include "tools/confabctl/output.h"
#include "tools/confabctl/room_export.h"
#include "tools/confabctl/room_retention.h"
#include "tools/confabctl/room_update.h"

namespace confab::ctl {
namespace {

using RoomStub = v1::RoomService::Stub;

struct CreateOptions {
  std::string room;
  std::string topic;
  std::vector<std::string> members;
  std::string role = "member";
  bool is_public = false;
};

struct ListOptions {
  std::string user;
};

std::string StateOf(const v1::Room& room) {
  std::string state;
  const auto add = [&](const std::string& word) { state += (state.empty() ? "" : ", ") + word; };
  if (room.is_archived()) add("archived");
  if (room.is_read_only()) add("read-only");
  if (room.slow_mode_seconds() > 0) add(fmt::format("slow {}s", room.slow_mode_seconds()));
  return state.empty() ? "-" : state;
}

void PrintRoom(const v1::Room& room, std::ostream& out) {
  out << "room:       " << Printable(room.id()) << '\n'
      << "topic:      " << OrDash(room.topic()) << '\n'
      << "visibility: " << Show(room.visibility()) << '\n'
      << "state:      " << StateOf(room) << '\n'
      << "last seq:   " << room.last_seq() << '\n'
      << "created:    " << Show(room.created_at()) << '\n';
  if (room.retention().max_age_seconds() > 0) {
    out << "max age:    " << absl::FormatDuration(absl::Seconds(room.retention().max_age_seconds()))
        << '\n';
  }
  if (room.retention().max_messages() > 0) {
    out << "max kept:   " << room.retention().max_messages() << " messages\n";
  }
  if (room.has_member_count()) out << "members:    " << room.member_count() << '\n';
  const std::map<std::string, std::string> sorted(room.metadata().begin(), room.metadata().end());
  for (const auto& [key, value] : sorted) {
    out << "metadata:   " << Printable(key) << '=' << Printable(value) << '\n';
  }
}

Exit Create(Invocation& run, const CreateOptions& options) {
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  v1::CreateRoomRequest request;
  request.set_room_id(options.room);
  request.set_topic(options.topic);
  request.set_visibility(options.is_public ? v1::ROOM_VISIBILITY_PUBLIC
                                           : v1::ROOM_VISIBILITY_PRIVATE);
  for (const std::string& user : options.members) {
    v1::NewMember* member = request.add_members();
    member->set_user_id(user);
    member->set_role(RoleOfWord(options.role));
  }
  v1::CreateRoomResponse response;
  exit = client->Call(client->rooms(), &RoomStub::CreateRoom, request, &response);
  if (exit != Exit::kDone) return exit;
  if (run.is_json) {
    run.streams.out << ToJson(response.room()) << '\n';
  } else {
    run.streams.out << fmt::format("created {} room {} with {} member{}\n",
                                   Show(response.room().visibility()), Printable(options.room),
                                   options.members.size(), options.members.size() == 1 ? "" : "s");
  }
  return Exit::kDone;
}

Exit List(Invocation& run, const ListOptions& options) {
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  Listing listing(run, "rooms", {"ROOM", "VISIBILITY", "STATE", "LAST SEQ", "CREATED", "TOPIC"});
  v1::ListRoomsRequest request;
  request.set_user_id(options.user);
  exit =
      ForEachPage(*client, client->rooms(), &RoomStub::ListRooms, request, [&](const auto& page) {
        for (const v1::Room& room : page.rooms()) {
          listing.Add(room, {Printable(room.id()), Show(room.visibility()), StateOf(room),
                             std::to_string(room.last_seq()), Show(room.created_at()),
                             OrDash(room.topic())});
        }
        return true;
      });
  if (exit == Exit::kDone) listing.End();
  return exit;
}

Exit ShowRoom(Invocation& run, const std::string& room) {
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  v1::GetRoomRequest request;
  request.set_room_id(room);
  v1::GetRoomResponse response;
  exit = client->Call(client->rooms(), &RoomStub::GetRoom, request, &response);
  if (exit != Exit::kDone) return exit;
  if (run.is_json) {
    run.streams.out << ToJson(response.room()) << '\n';
  } else {
    PrintRoom(response.room(), run.streams.out);
  }
  return Exit::kDone;
}

Exit Delete(Invocation& run, const std::string& room, bool is_yes) {
  const std::string question =
      fmt::format("Delete room {} with its members and its log, for good?", Printable(room));
  if (!Confirm(run, is_yes, question)) return Exit::kUsage;
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  v1::DeleteRoomRequest request;
  request.set_room_id(room);
  v1::DeleteRoomResponse response;
  exit = client->Call(client->rooms(), &RoomStub::DeleteRoom, request, &response);
  if (exit != Exit::kDone) return exit;
  if (run.is_json) {
    run.streams.out << ToJson(response) << '\n';
  } else {
    run.streams.out << "deleted room " << Printable(room) << " with its members and its log\n";
  }
  return Exit::kDone;
}

void AddCreate(CLI::App& noun, Invocation& run) {
  auto options = std::make_shared<CreateOptions>();
  CLI::App* verb = noun.add_subcommand("create", "Creates a room");
  verb->add_option("ROOM", options->room, "Id: 1 to 128 bytes of UTF-8")->required();
  verb->add_option("--members", options->members, "First members, at most 1,000: a,b,c")
      ->delimiter(',')
      ->allow_extra_args(false);
  verb->add_option("--role", options->role, "Their role")
      ->check(CLI::IsMember(RoleWords()))
      ->capture_default_str();
  verb->add_option("--topic", options->topic, "What the room is about, at most 256 bytes");
  verb->add_flag("--public", options->is_public, "Whoever joins becomes a member");
  verb->footer(
      "Examples:\n"
      "  confabctl room create lobby --public --topic 'Say hello'\n"
      "  confabctl room create project-7 --members ann,ben,cy\n"
      "  confabctl room create project-7 --members ann --role owner && \\\n"
      "    confabctl member add project-7 --from-file members.txt");
  verb->callback(
      [options, &run] { run.verb = [options](Invocation& r) { return Create(r, *options); }; });
}

void AddList(CLI::App& noun, Invocation& run) {
  auto options = std::make_shared<ListOptions>();
  CLI::App* verb = noun.add_subcommand("list", "Lists rooms by id");
  verb->add_option("--user", options->user, "Only rooms this user is a member of");
  verb->footer(
      "Examples:\n"
      "  confabctl room list\n"
      "  confabctl room list --user ann\n"
      "  confabctl room list -o json | jq -r '.rooms[].id'");
  verb->callback(
      [options, &run] { run.verb = [options](Invocation& r) { return List(r, *options); }; });
}

void AddOneRoom(CLI::App& noun, Invocation& run, const std::string& name, const std::string& what,
                const std::string& examples, Exit (*act)(Invocation&, const std::string&)) {
  auto room = std::make_shared<std::string>();
  CLI::App* verb = noun.add_subcommand(name, what);
  verb->add_option("ROOM", *room, "The room's id")->required();
  verb->footer("Examples:\n" + examples);
  verb->callback(
      [room, act, &run] { run.verb = [room, act](Invocation& r) { return act(r, *room); }; });
}

void AddDelete(CLI::App& noun, Invocation& run) {
  auto room = std::make_shared<std::string>();
  auto is_yes = std::make_shared<bool>(false);
  CLI::App* verb = noun.add_subcommand(
      "delete", "Deletes a room with its members and its log, at once and for good");
  verb->add_option("ROOM", *room, "The room's id")->required();
  AddYes(*verb, is_yes.get());
  verb->footer("Examples:\n  confabctl room delete lobby\n  confabctl room delete lobby --yes");
  verb->callback([room, is_yes, &run] {
    run.verb = [room, is_yes](Invocation& r) { return Delete(r, *room, *is_yes); };
  });
}

}  // namespace

void AddRoomVerbs(CLI::App& app, Invocation& run) {
  CLI::App* noun =
      AddNoun(app, "room", "Creates, lists, shows, changes, archives and deletes rooms");
  AddCreate(*noun, run);
  AddList(*noun, run);
  AddOneRoom(*noun, run, "show", "Shows a room with the number of its members",
             "  confabctl room show lobby\n"
             "  confabctl room show lobby -o json | jq -r .memberCount",
             ShowRoom);
  AddRoomUpdateVerbs(*noun, run);
  AddDelete(*noun, run);
  AddRoomExportVerb(*noun, run);
  AddRoomRetentionVerb(*noun, run);
}

}  // namespace confab::ctl
