// confabctl member: ban, unban, bans, mute, unmute.
#include "tools/confabctl/member_restrict.h"

#include <memory>
#include <ostream>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tools/confabctl/control_client.h"
#include "tools/confabctl/listing.h"
#include "tools/confabctl/output.h"

namespace confab::ctl {
namespace {

using RoomStub = v1::RoomService::Stub;

struct RestrictOptions {
  std::string room;
  std::string user;
  std::string time;
};

// 0 where there is none.
uint32_t SecondsOf(const std::string& time) {
  absl::Duration duration;
  if (!ParseTime(time, &duration)) return 0;
  return static_cast<uint32_t>(absl::ToInt64Seconds(absl::Ceil(duration, absl::Seconds(1))));
}

std::string IsTime(const std::string& text) {
  absl::Duration duration;
  const bool is_time = ParseTime(text, &duration) && duration <= absl::Hours(24) * 3650;
  return is_time ? "" : "give a time such as 10m, 2h or 7d, at most 3650d";
}

// One call that changes a user; `done` says it of the answer, for people.
template <typename Request, typename Response>
Exit Change(Invocation& run, const RestrictOptions& options,
            grpc::Status (RoomStub::*method)(grpc::ClientContext*, const Request&, Response*),
            Request request, std::string (*done)(const v1::Member&)) {
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  request.set_room_id(options.room);
  request.set_user_id(options.user);
  Response response;
  exit = client->Call(client->rooms(), method, request, &response);
  if (exit != Exit::kDone) return exit;
  if (run.is_json) {
    run.streams.out << ToJson(response.member()) << '\n';
  } else {
    run.streams.out << fmt::format("{} {} in {}\n", Printable(options.user),
                                   done(response.member()), Printable(options.room));
  }
  return Exit::kDone;
}

Exit Ban(Invocation& run, const RestrictOptions& options) {
  v1::BanMemberRequest request;
  request.set_seconds(SecondsOf(options.time));
  return Change(run, options, &RoomStub::BanMember, std::move(request),
                [](const v1::Member& member) { return "is banned: " + Show(&member.banned()); });
}

Exit Unban(Invocation& run, const RestrictOptions& options) {
  return Change(run, options, &RoomStub::UnbanMember, v1::UnbanMemberRequest(),
                [](const v1::Member&) { return std::string("is not banned"); });
}

Exit Mute(Invocation& run, const RestrictOptions& options) {
  v1::MuteMemberRequest request;
  request.set_seconds(SecondsOf(options.time));
  return Change(run, options, &RoomStub::MuteMember, std::move(request),
                [](const v1::Member& member) { return "is muted: " + Show(&member.muted()); });
}

Exit Unmute(Invocation& run, const RestrictOptions& options) {
  return Change(run, options, &RoomStub::UnmuteMember, v1::UnmuteMemberRequest(),
                [](const v1::Member&) { return std::string("is not muted"); });
}

Exit ListBans(Invocation& run, const RestrictOptions& options) {
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  Listing listing(run, "members", {"USER", "BANNED UNTIL"});
  v1::ListMembersRequest request;
  request.set_room_id(options.room);
  request.set_is_of_banned(true);
  exit =
      ForEachPage(*client, client->rooms(), &RoomStub::ListMembers, request, [&](const auto& page) {
        for (const v1::Member& member : page.members()) {
          listing.Add(member, {Printable(member.user_id()), Show(&member.banned())});
        }
        return true;
      });
  if (exit == Exit::kDone) listing.End();
  return exit;
}

struct RestrictVerb {
  const char* name;
  const char* what;
  const char* examples;
  Exit (*act)(Invocation&, const RestrictOptions&);
  bool takes_user;
  bool takes_time;
};

constexpr RestrictVerb kVerbs[] = {
    {"ban", "Removes a user from a room and refuses him, with an end or until it is lifted",
     "  confabctl member ban lobby eve\n"
     "  confabctl member ban lobby eve --for 7d",
     Ban, true, true},
    {"unban", "Lifts a ban; makes nobody a member", "  confabctl member unban lobby eve", Unban,
     true, false},
    {"bans", "Lists who is banned from a room", "  confabctl member bans lobby", ListBans, false,
     false},
    {"mute", "Lets a member read and not post, with an end or until it is lifted",
     "  confabctl member mute lobby bob --for 10m", Mute, true, true},
    {"unmute", "Lifts a mute", "  confabctl member unmute lobby bob", Unmute, true, false},
};

}  // namespace

void AddMemberRestrictVerbs(CLI::App& noun, Invocation& run) {
  for (const RestrictVerb& kind : kVerbs) {
    auto options = std::make_shared<RestrictOptions>();
    CLI::App* verb = noun.add_subcommand(kind.name, kind.what);
    verb->add_option("ROOM", options->room, "The room's id")->required();
    if (kind.takes_user) verb->add_option("USER", options->user, "The user's id")->required();
    if (kind.takes_time) {
      verb->add_option("--for", options->time, "How long: 10m, 2h, 7d; without it until lifted")
          ->check(CLI::Validator(IsTime, ""));
    }
    verb->footer(std::string("Examples:\n") + kind.examples);
    verb->callback([options, act = kind.act, &run] {
      run.verb = [options, act](Invocation& r) { return act(r, *options); };
    });
  }
}

}  // namespace confab::ctl
