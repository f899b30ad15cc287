#include "tools/confabctl/room_retention.h"

#include <cstdint>
#include <memory>
#include <ostream>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tools/confabctl/confirm.h"
#include "tools/confabctl/control_client.h"
#include "tools/confabctl/output.h"

namespace confab::ctl {
namespace {

struct RetentionOptions {
  std::string room;
  std::string max_age;
  int64_t max_messages = 0;
  bool is_everything = false;
  bool is_yes = false;
};

// 0: no time.
int64_t SecondsOf(const std::string& age) {
  absl::Duration duration;
  return ParseTime(age, &duration) ? absl::ToInt64Seconds(duration) : 0;
}

std::string IsAge(const std::string& text) {
  return SecondsOf(text) >= 60 ? "" : "give an age of a minute or more, such as 12h or 30d";
}

Exit SetRetention(Invocation& run, const RetentionOptions& options) {
  const bool is_limited = !options.max_age.empty() || options.max_messages > 0;
  if (is_limited == options.is_everything) {
    return run.Fail(Exit::kUsage, "give --max-age, --max-messages or both; or --keep-everything");
  }
  if (is_limited && !Confirm(run, options.is_yes,
                             fmt::format("Remove what is older from room {}, now and from now on?",
                                         Printable(options.room)))) {
    return Exit::kUsage;
  }
  v1::SetRetentionRequest request;
  request.set_room_id(options.room);
  if (is_limited) {
    request.mutable_retention()->set_max_age_seconds(
        options.max_age.empty() ? 0 : SecondsOf(options.max_age));
    request.mutable_retention()->set_max_messages(options.max_messages);
  }
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  v1::SetRetentionResponse response;
  exit =
      client->Call(client->messages(), &v1::MessageService::Stub::SetRetention, request, &response);
  if (exit != Exit::kDone) return exit;
  if (run.is_json) {
    run.streams.out << ToJson(response) << '\n';
  } else {
    run.streams.out << (is_limited ? "set; what is superfluous goes within minutes\n"
                                   : "set; everything is kept from now on\n");
  }
  return Exit::kDone;
}

}  // namespace

void AddRoomRetentionVerb(CLI::App& noun, Invocation& run) {
  auto options = std::make_shared<RetentionOptions>();
  CLI::App* verb = noun.add_subcommand("retention", "Says how much of a room's log is kept");
  verb->add_option("ROOM", options->room, "The room's id")->required();
  verb->add_option("--max-age", options->max_age, "Remove events older than this: 12h, 30d")
      ->check(IsAge);
  verb->add_option("--max-messages", options->max_messages, "Keep so many messages, the newest")
      ->check(CLI::PositiveNumber);
  verb->add_flag("--keep-everything", options->is_everything, "Remove nothing any more");
  AddYes(*verb, &options->is_yes);
  verb->footer(
      "What is removed is gone for good; seqs are not used again, and a client that asks for it\n"
      "is told to load the room anew.\n"
      "\nExamples:\n"
      "  confabctl room retention lobby --max-age 30d\n"
      "  confabctl room retention lobby --max-messages 100000 --yes\n"
      "  confabctl room retention lobby --keep-everything");
  verb->callback([options, &run] {
    run.verb = [options](Invocation& r) { return SetRetention(r, *options); };
  });
}

}  // namespace confab::ctl
