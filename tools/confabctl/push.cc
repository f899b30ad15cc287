// confabctl push: tells connections something, as a service does.
#include <istream>
#include <iterator>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include "confab/v1/notification_service.grpc.pb.h"

#include "tools/confabctl/command_line.h"
#include "tools/confabctl/control_client.h"
#include "tools/confabctl/output.h"

namespace confab::ctl {
namespace {

using NotificationStub = v1::NotificationService::Stub;

struct PushOptions {
  std::string target;
  std::string event;
  std::string json = "null";
  std::string key;
  std::string latest;
  std::string priority = "normal";
  std::string ttl;
  bool is_logged = false;
  bool is_latest = false;
  bool store_if_absent = false;
};

v1::NotificationPriority PriorityOf(const std::string& word) {
  if (word == "high") return v1::NOTIFICATION_PRIORITY_HIGH;
  if (word == "low") return v1::NOTIFICATION_PRIORITY_LOW;
  return v1::NOTIFICATION_PRIORITY_NORMAL;
}

Exit Fill(Invocation& run, const PushOptions& options, v1::OutgoingNotification& what) {
  std::string json = options.json;
  if (json == "-") json.assign(std::istreambuf_iterator<char>(run.streams.in), {});
  if (!IsUtf8(json)) return run.Fail(Exit::kUsage, "the payload is not valid UTF-8");
  what.set_event(options.event);
  what.set_json(std::move(json));
  what.set_delivery_class(options.is_logged   ? v1::DELIVERY_CLASS_LOGGED
                          : options.is_latest ? v1::DELIVERY_CLASS_LATEST
                                              : v1::DELIVERY_CLASS_DROPPABLE);
  what.set_key(options.latest);
  what.set_priority(PriorityOf(options.priority));
  what.set_store_if_absent(options.store_if_absent);
  what.set_idempotency_key(options.key);
  if (options.ttl.empty()) return Exit::kDone;
  absl::Duration ttl;
  if (!ParseTime(options.ttl, &ttl)) return run.Fail(Exit::kUsage, "--ttl: a time such as 90s");
  if (ttl < absl::Milliseconds(1)) return run.Fail(Exit::kUsage, "--ttl: at least 1ms");
  what.set_ttl_ms(static_cast<uint64_t>(absl::ToInt64Milliseconds(ttl)));
  return Exit::kDone;
}

std::string Show(const v1::NotificationOutcome& outcome) {
  const std::string stored = outcome.stored() ? fmt::format(", stored as {}", outcome.seq()) : "";
  return fmt::format("told {}{} connection{}{}{} ({})\n",
                     outcome.connections_exact() ? "" : "at least ", outcome.connections(),
                     outcome.connections() == 1 ? "" : "s", stored,
                     outcome.duplicate() ? ", earlier" : "", outcome.notification_id());
}

using SetTarget = void (*)(v1::OutgoingNotification& what, const std::string& target);

Exit Push(Invocation& run, const PushOptions& options, SetTarget set_target) {
  v1::NotifyRequest request;
  if (const Exit exit = Fill(run, options, *request.mutable_notification()); exit != Exit::kDone) {
    return exit;
  }
  set_target(*request.mutable_notification(), options.target);
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  const auto stub = v1::NotificationService::NewStub(client->channel());
  v1::NotifyResponse response;
  exit = client->Call(*stub, &NotificationStub::Notify, request, &response);
  if (exit != Exit::kDone) return exit;
  run.streams.out << (run.is_json ? ToJson(response) + "\n" : Show(response.outcome()));
  return Exit::kDone;
}

// One OutgoingNotification in proto3 JSON a line.
Exit PushLines(Invocation& run) {
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  const auto stub = v1::NotificationService::NewStub(client->channel());
  grpc::ClientContext context;
  client->Prepare(context);
  v1::NotifyStreamResponse response;
  const auto stream = stub->NotifyStream(&context, &response);
  std::string line;
  size_t number = 0;
  while (std::getline(run.streams.in, line)) {
    ++number;
    if (line.empty()) continue;
    v1::NotifyStreamRequest request;
    const auto status =
        google::protobuf::util::JsonStringToMessage(line, request.mutable_notification());
    if (!status.ok()) {
      context.TryCancel();
      return run.Fail(Exit::kUsage,
                      fmt::format("line {}: {}", number, std::string(status.message())));
    }
    if (!stream->Write(request)) break;
  }
  stream->WritesDone();
  exit = client->Explain(stream->Finish());
  if (exit != Exit::kDone) return exit;
  if (run.is_json) {
    run.streams.out << ToJson(response) << '\n';
  } else {
    run.streams.out << fmt::format("{} told to {} connections, {} stored, {} refused\n",
                                   response.accepted(), response.connections(), response.stored(),
                                   response.refused());
    for (const v1::NotifyStreamRefusal& refusal : response.refusals()) {
      run.streams.err << fmt::format("refused: number {}: {}\n", refusal.index() + 1,
                                     Printable(refusal.error().message()));
    }
  }
  return response.refused() == 0 ? Exit::kDone : Exit::kRefused;
}

struct Target {
  const char* verb;
  const char* what;
  const char* argument;  // Empty: none.
  const char* argument_what;
  bool can_log;
  SetTarget set;
  const char* example;
};

constexpr Target kTargets[] = {
    {"user", "Tells every connection of a user", "USER", "The user's id", true,
     [](v1::OutgoingNotification& what, const std::string& id) { what.set_user_id(id); },
     "  confabctl push user ann level_up '{\"level\":7}'\n"
     "  confabctl push user ann invoice_due '{\"id\":17}' --logged --key invoice-17\n"
     "  confabctl push user ann sp_update '{\"sp\":40}' --latest sp"},
    {"role", "Tells every connection whose token names a role", "ROLE", "The role", false,
     [](v1::OutgoingNotification& what, const std::string& role) { what.set_role(role); },
     "  confabctl push role teacher exam_starts '{\"in\":300}' --priority high"},
    {"room", "Tells every connection subscribed to a room", "ROOM", "The room's id", true,
     [](v1::OutgoingNotification& what, const std::string& id) { what.set_room_id(id); },
     "  confabctl push room game_42 narrative_update '{\"text\":\"It rains.\"}'\n"
     "  confabctl push room game_42 game_started '{}' --logged"},
    {"connection", "Tells one connection", "CONNECTION", "What it was called when it connected",
     false,
     [](v1::OutgoingNotification& what, const std::string& id) { what.set_connection_id(id); },
     "  confabctl push connection 64a1f2-3c01 reload"},
    {"all", "Tells every connection", "", "", false,
     [](v1::OutgoingNotification& what, const std::string&) { what.mutable_everybody(); },
     "  confabctl push all maintenance '{\"at\":\"22:00\"}' --ttl 1h"},
};

void AddTarget(CLI::App& noun, Invocation& run, const Target& target) {
  auto options = std::make_shared<PushOptions>();
  CLI::App* verb = noun.add_subcommand(target.verb, target.what);
  if (target.argument[0] != '\0') {
    verb->add_option(target.argument, options->target, target.argument_what)->required();
  }
  verb->add_option("EVENT", options->event, "Name of the event")->required();
  verb->add_option("JSON", options->json, "What it says (null); - reads it from standard input");
  CLI::Option* logged = nullptr;
  if (target.can_log) {
    logged = verb->add_flag("--logged", options->is_logged,
                            "Store it before it is told, in the inbox or in the room's log");
  }
  CLI::Option* latest = verb->add_option_function<std::string>(
      "--latest",
      [options](const std::string& key) {
        options->is_latest = true;
        options->latest = key;
      },
      "Of one key only the newest has to arrive");
  if (logged != nullptr) latest->excludes(logged);
  if (std::string_view(target.verb) == "user") {
    verb->add_flag("--store-if-absent", options->store_if_absent,
                   "Put it into the inbox if the user is not connected")
        ->excludes(logged);
  }
  verb->add_option("--priority", options->priority, "high, normal or low")
      ->check(CLI::IsMember({"high", "normal", "low"}))
      ->capture_default_str();
  verb->add_option("--ttl", options->ttl, "Drop it where it still waits after this time");
  verb->add_option("--key", options->key,
                   "Idempotency key: the same target and key is told once, however often pushed");
  verb->footer(std::string("Examples:\n") + target.example);
  verb->callback([options, &run, set = target.set] {
    run.verb = [options, set](Invocation& r) { return Push(r, *options, set); };
  });
}

}  // namespace

void AddPushVerbs(CLI::App& app, Invocation& run) {
  CLI::App* noun = AddNoun(app, "push", "Tells users, roles, rooms or connections something");
  for (const Target& target : kTargets) AddTarget(*noun, run, target);
  CLI::App* lines = noun->add_subcommand(
      "lines", "Tells what standard input says: one OutgoingNotification in JSON a line");
  lines->footer(
      "Examples:\n"
      "  echo '{\"userId\":\"ann\",\"event\":\"hi\",\"json\":\"{}\"}' | confabctl push lines");
  lines->callback([&run] { run.verb = PushLines; });
}

}  // namespace confab::ctl
