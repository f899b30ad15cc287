#include "tools/confabctl/message_change.h"

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tools/confabctl/confirm.h"
#include "tools/confabctl/control_client.h"
#include "tools/confabctl/output.h"

namespace confab::ctl {
namespace {

using MessageStub = v1::MessageService::Stub;

struct ChangeOptions {
  std::string room;
  std::string message;
  std::string user;
  std::string text;
  std::string body;
  std::vector<std::string> mentions;
  bool is_yes = false;
};

Exit Edit(Invocation& run, const ChangeOptions& options) {
  v1::EditMessageRequest request;
  request.set_room_id(options.room);
  request.set_message_id(options.message);
  if (!options.user.empty()) request.mutable_editor()->set_id(options.user);
  request.set_content(options.text);
  request.set_body_json(options.body);
  for (const std::string& user : options.mentions) request.add_mentions(user);
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  v1::EditMessageResponse response;
  exit = client->Call(client->messages(), &MessageStub::EditMessage, request, &response);
  if (exit != Exit::kDone) return exit;
  if (run.is_json) {
    run.streams.out << ToJson(response) << '\n';
  } else {
    run.streams.out << fmt::format("edited by seq {}\n", response.seq());
  }
  return Exit::kDone;
}

Exit Delete(Invocation& run, const ChangeOptions& options) {
  if (!Confirm(run, options.is_yes,
               fmt::format("Delete message {} of room {} for good?", Printable(options.message),
                           Printable(options.room)))) {
    return Exit::kUsage;
  }
  v1::DeleteMessageRequest request;
  request.set_room_id(options.room);
  request.set_message_id(options.message);
  if (!options.user.empty()) request.mutable_deleter()->set_id(options.user);
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  v1::DeleteMessageResponse response;
  exit = client->Call(client->messages(), &MessageStub::DeleteMessage, request, &response);
  if (exit != Exit::kDone) return exit;
  if (run.is_json) {
    run.streams.out << ToJson(response) << '\n';
  } else {
    run.streams.out << fmt::format("deleted by seq {}\n", response.seq());
  }
  return Exit::kDone;
}

CLI::App* AddVerb(CLI::App& noun, const char* name, const char* what, ChangeOptions& options) {
  CLI::App* verb = noun.add_subcommand(name, what);
  verb->add_option("ROOM", options.room, "The room's id")->required();
  verb->add_option("MESSAGE", options.message, "The message's id, as message list -o json tells it")
      ->required();
  verb->add_option("--as", options.user,
                   "As this user, who must be its sender or a moderator; else as the system");
  return verb;
}

}  // namespace

void AddMessageChangeVerbs(CLI::App& noun, Invocation& run) {
  auto edit = std::make_shared<ChangeOptions>();
  CLI::App* verb = AddVerb(noun, "edit", "Gives a message other content", *edit);
  verb->add_option("TEXT", edit->text, "What it says from now on; may be missing beside --body");
  verb->add_option("--body", edit->body, "Its JSON body from now on; missing: none");
  verb->add_option("--mention", edit->mentions, "User ids it is about: a,b,c; missing: none")
      ->delimiter(',')
      ->allow_extra_args(false);
  verb->footer(
      "Examples:\n"
      "  confabctl message edit lobby 0198c7a2-6b1f-7a30-9c55-1f2e3d4c5b6a 'The server restarts at "
      "one'");
  verb->callback([edit, &run] { run.verb = [edit](Invocation& r) { return Edit(r, *edit); }; });

  auto deletion = std::make_shared<ChangeOptions>();
  verb = AddVerb(noun, "delete", "Deletes a message; its place in the log stays", *deletion);
  AddYes(*verb, &deletion->is_yes);
  verb->footer(
      "Examples:\n"
      "  confabctl message delete lobby 0198c7a2-6b1f-7a30-9c55-1f2e3d4c5b6a\n"
      "  confabctl message delete lobby 0198c7a2-6b1f-7a30-9c55-1f2e3d4c5b6a --as mod --yes");
  verb->callback(
      [deletion, &run] { run.verb = [deletion](Invocation& r) { return Delete(r, *deletion); }; });
}

}  // namespace confab::ctl
