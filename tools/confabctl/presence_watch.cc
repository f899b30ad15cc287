#include "tools/confabctl/presence_watch.h"

#include <algorithm>
#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tools/confabctl/control_client.h"
#include "tools/confabctl/interrupt.h"
#include "tools/confabctl/output.h"

namespace confab::ctl {
namespace {

constexpr absl::Duration kRetryMin = absl::Milliseconds(200);
constexpr absl::Duration kRetryMax = absl::Seconds(2);

struct WatchOptions {
  std::string room;
  std::vector<std::string> users;
  uint64_t count = 0;  // 0: until it is interrupted.
};

class Watcher {
 public:
  Watcher(Invocation& run, const WatchOptions& options, ControlClient& client, Interrupt& interrupt)
      : run_(run), options_(options), client_(client), interrupt_(interrupt) {}

  Exit Watch() {
    absl::Duration pause = kRetryMin;
    while (true) {
      const uint64_t before = shown_;
      const grpc::Status status = ReadStream();
      if (is_done() || interrupt_.came()) return Exit::kDone;
      if (!IsBroken(status) && status.error_code() != grpc::StatusCode::UNAVAILABLE) {
        return status.ok() ? Exit::kDone : client_.Explain(status);
      }
      if (shown_ > before) pause = kRetryMin;
      if (pause == kRetryMin) {
        run_.streams.err << "confabctl: control is away; watching again when it is back "
                            "(Ctrl-C ends)"
                         << std::endl;
      }
      if (!interrupt_.Wait(pause)) return Exit::kDone;
      pause = std::min(pause * 2, kRetryMax);
    }
  }

 private:
  bool is_done() const { return options_.count > 0 && shown_ >= options_.count; }

  grpc::Status ReadStream() {
    grpc::ClientContext context;
    client_.Prepare(context);
    v1::WatchPresenceRequest request;
    if (!options_.room.empty()) request.set_room_id(options_.room);
    for (const std::string& user : options_.users) request.mutable_users()->add_user_ids(user);
    interrupt_.Set([&context] { context.TryCancel(); });
    const auto stream = client_.presence().WatchPresence(&context, request);
    v1::WatchPresenceResponse batch;
    while (!is_done() && stream->Read(&batch)) {
      for (const v1::Presence& change : batch.changes()) {
        Print(change);
        if (is_done()) break;
      }
      run_.streams.out.flush();
    }
    if (is_done()) context.TryCancel();
    grpc::Status status = stream->Finish();
    interrupt_.Set(nullptr);
    return status;
  }

  void Print(const v1::Presence& change) {
    ++shown_;
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
  Interrupt& interrupt_;
  uint64_t shown_ = 0;
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
