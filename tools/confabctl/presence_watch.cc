#include "tools/confabctl/presence_watch.h"

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tools/confabctl/control_client.h"
#include "tools/confabctl/follow.h"
#include "tools/confabctl/interrupt.h"
#include "tools/confabctl/output.h"

namespace confab::ctl {
namespace {

struct WatchOptions {
  std::string room;
  std::vector<std::string> users;
  uint64_t count = 0;  // 0: until it is interrupted.
};

class Watcher {
 public:
  Watcher(Invocation& run, const WatchOptions& options, ControlClient& client, Interrupt& interrupt)
      : run_(run),
        options_(options),
        client_(client),
        following_(run, client, interrupt, options.count) {}

  Exit Watch() {
    return following_.Run([this](grpc::ClientContext& context) { return ReadStream(context); },
                          [] { return std::string("watching again"); });
  }

 private:
  grpc::Status ReadStream(grpc::ClientContext& context) {
    v1::WatchPresenceRequest request;
    if (!options_.room.empty()) request.set_room_id(options_.room);
    for (const std::string& user : options_.users) request.mutable_users()->add_user_ids(user);
    const auto stream = client_.presence().WatchPresence(&context, request);
    v1::WatchPresenceResponse batch;
    while (!following_.is_done() && stream->Read(&batch)) {
      for (const v1::Presence& change : batch.changes()) {
        Print(change);
        if (following_.is_done()) break;
      }
      run_.streams.out.flush();
    }
    if (following_.is_done()) context.TryCancel();
    return stream->Finish();
  }

  void Print(const v1::Presence& change) {
    following_.Shown();
    if (run_.is_json) {
      run_.streams.out << ToJson(change) << '\n';
    } else {
      run_.streams.out << fmt::format("{}  {}{}\n", Printable(change.user_id()), ShowStatus(change),
                                      change.text().empty() ? "" : "  " + Printable(change.text()));
    }
  }

  Invocation& run_;
  const WatchOptions& options_;
  ControlClient& client_;
  Following following_;
};

Exit Watch(Invocation& run, const WatchOptions& options) {
  Interrupt interrupt;
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  exit = client->Probe();
  if (exit != Exit::kDone) return interrupt.came() ? Exit::kDone : exit;
  return Watcher(run, options, *client, interrupt).Watch();
}

}  // namespace

void AddPresenceWatchVerb(CLI::App& noun, Invocation& run) {
  auto options = std::make_shared<WatchOptions>();
  CLI::App* verb = noun.add_subcommand(
      "watch", "Shows who is online, then each change, until Ctrl-C; exits with 0");
  CLI::Option* room = verb->add_option("--room", options->room, "Only this room's members");
  verb->add_option("--user", options->users, "Only these users, separated by commas")
      ->delimiter(',')
      ->excludes(room);
  verb->add_option("--count", options->count, "End after so many lines")
      ->check(CLI::PositiveNumber);
  verb->footer(
      "With -o json each change is one line.\n"
      "\nExamples:\n"
      "  confabctl presence watch\n"
      "  confabctl presence watch --room lobby\n"
      "  confabctl presence watch --user ann,ben --count 2 -o json");
  verb->callback(
      [options, &run] { run.verb = [options](Invocation& r) { return Watch(r, *options); }; });
}

}  // namespace confab::ctl
