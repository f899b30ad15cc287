// confabctl user: show, erase.
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

namespace confab::ctl {
namespace {

Exit ShowUser(Invocation& run, const std::string& user) {
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  Listing listing(run, "rooms", {"ROOM", "VISIBILITY", "LAST SEQ", "READ", "UNREAD"});
  int64_t unread = 0;
  int64_t rooms = 0;
  v1::ListRoomsRequest request;
  request.set_user_id(user);
  exit = ForEachPage(
      *client, client->rooms(), &v1::RoomService::Stub::ListRooms, request, [&](const auto& page) {
        for (const v1::Room& room : page.rooms()) {
          ++rooms;
          unread += room.unread_count();
          listing.Add(
              room, {Printable(room.id()), Show(room.visibility()), std::to_string(room.last_seq()),
                     std::to_string(room.read_seq()), std::to_string(room.unread_count())});
        }
        return true;
      });
  if (exit != Exit::kDone) return exit;
  listing.End();
  if (run.is_json) return Exit::kDone;
  run.streams.out << fmt::format("{} is a member of {} room{} with {} unread message{}\n",
                                 Printable(user), rooms, rooms == 1 ? "" : "s", unread,
                                 unread == 1 ? "" : "s");
  return Exit::kDone;
}

struct EraseOptions {
  std::string user;
  bool is_yes = false;
};

Exit Erase(Invocation& run, const EraseOptions& options) {
  if (!Confirm(run, options.is_yes,
               fmt::format("Empty every message of {} in every room, for good?",
                           Printable(options.user)))) {
    return Exit::kUsage;
  }
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  grpc::ClientContext context;
  client->Prepare(context);
  v1::EraseUserRequest request;
  request.set_user_id(options.user);
  const auto stream = client->messages().EraseUser(&context, request);
  v1::EraseUserResponse report;
  while (stream->Read(&report)) {
    if (run.is_json) {
      run.streams.out << ToJson(report) << std::endl;
    } else if (!report.done()) {
      run.streams.err << fmt::format("{} of {} rooms, {} messages", report.rooms(),
                                     report.rooms_total(), report.messages())
                      << std::endl;
    }
  }
  exit = client->Explain(stream->Finish());
  if (exit == Exit::kDone && !run.is_json) {
    run.streams.out << fmt::format("erased {} message{} of {} in {} room{}\n", report.messages(),
                                   report.messages() == 1 ? "" : "s", Printable(options.user),
                                   report.rooms(), report.rooms() == 1 ? "" : "s");
  }
  return exit;
}

}  // namespace

void AddUserVerbs(CLI::App& app, Invocation& run) {
  CLI::App* noun = AddNoun(app, "user", "Shows and erases what there is of a user");
  auto user = std::make_shared<std::string>();
  CLI::App* verb =
      noun->add_subcommand("show", "Shows a user's rooms, and how far the user has read them");
  verb->add_option("USER", *user, "The user's id")->required();
  verb->footer(
      "Examples:\n"
      "  confabctl user show ann\n"
      "  confabctl user show ann -o json | jq '[.rooms[].unreadCount | tonumber] | add'");
  verb->callback([user, &run] { run.verb = [user](Invocation& r) { return ShowUser(r, *user); }; });

  auto options = std::make_shared<EraseOptions>();
  verb = noun->add_subcommand(
      "erase", "Empties what a user has written in every room, and removes the name from it");
  verb->add_option("USER", options->user, "The user's id")->required();
  AddYes(*verb, &options->is_yes);
  verb->footer(
      "Needs a token with the scope admin. Messages keep their places in the logs; memberships "
      "stay.\n"
      "Ended early, it goes on when it is asked for again.\n"
      "\nExamples:\n"
      "  confabctl user erase ann\n"
      "  confabctl user erase ann --yes -o json");
  verb->callback(
      [options, &run] { run.verb = [options](Invocation& r) { return Erase(r, *options); }; });
}

}  // namespace confab::ctl
