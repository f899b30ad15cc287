#include "tools/loadgen/scenario_options.h"

#include <algorithm>
#include <memory>

#include <CLI/CLI.hpp>
#include <absl/strings/ascii.h>
#include <fmt/format.h>

#include "tools/loadgen/message_mark.h"

namespace confab::loadgen {
namespace {

// Longer than that and a run is a soak, which other tools do better.
constexpr absl::Duration kTimeMax = absl::Hours(24);
constexpr uint32_t kConcurrencyLimit = 10'000;
// With numbers behind it still the id of a room, and a part of a path as it stands.
constexpr size_t kRunBytesLimit = 32;

using PlanOf = std::shared_ptr<PlanOptions>;

CLI::App* AddScenario(CLI::App& app, Options& options, Scenario scenario, const PlanOf& plan,
                      const char* what, const char* examples) {
  CLI::App* sub = app.add_subcommand(NameOf(scenario), what);
  sub->group("Scenarios");
  sub->footer(examples);
  sub->callback([&options, scenario, plan] {
    options.scenario = scenario;
    options.plan = *plan;
  });
  return sub;
}

void AddWindow(CLI::App& sub, const PlanOf& plan, const char* what) {
  sub.add_option("--window", plan->window, what)->capture_default_str();
}

void AddFanout(CLI::App& app, Options& options) {
  const auto plan = std::make_shared<PlanOptions>();
  *plan = {.members = 100, .senders = 1, .window = 1};
  CLI::App* sub = AddScenario(
      app, options, Scenario::kFanout, plan,
      "One room: few send, all get each message; the next leaves when all have it",
      "Says what a delivery costs. With --window 1 each message is delivered by itself; with "
      "more,\n"
      "and with more senders, a server that joins what waits for a socket does less per message.\n"
      "\nExamples:\n"
      "  confab-loadgen fanout --members 1000 --user-secret-file data/user.secret\n"
      "  confab-loadgen fanout --members 1000 --senders 4 --window 8 --pid edge=4711");
  sub->add_option("--members", plan->members, "Users in the room, senders too")
      ->capture_default_str();
  sub->add_option("--senders", plan->senders, "How many of them send")->capture_default_str();
  AddWindow(*sub, plan, "Messages of a sender that not all have yet");
}

void AddPairs(CLI::App& app, Options& options) {
  const auto plan = std::make_shared<PlanOptions>();
  *plan = {.members = 200, .room_size = 2, .window = 1};
  CLI::App* sub = AddScenario(
      app, options, Scenario::kPairs, plan,
      "Small rooms in which everybody sends as fast as it is answered",
      "Says how many messages a server stores and delivers when it is never left alone.\n"
      "\nExamples:\n"
      "  confab-loadgen pairs --users 200 --user-secret-file data/user.secret\n"
      "  confab-loadgen pairs --users 1000 --room-size 4 --duration 1m");
  sub->add_option("--users", plan->members, "Users in all rooms together")->capture_default_str();
  sub->add_option("--room-size", plan->room_size, "Members of a room")->capture_default_str();
  AddWindow(*sub, plan, "Messages of a user that not all have yet");
}

void AddChat(CLI::App& app, Options& options) {
  const auto plan = std::make_shared<PlanOptions>();
  *plan = {.members = 200, .room_size = 2, .rate = 1};
  CLI::App* sub = AddScenario(
      app, options, Scenario::kChat, plan,
      "Small rooms in which everybody sends at a rate, answered or not",
      "Says what latency people see at a given load. A message that leaves late because\n"
      "this tool was held up counts from when it was due.\n"
      "\nExamples:\n"
      "  confab-loadgen chat --users 1000 --rate 1 --duration 30s\n"
      "  confab-loadgen chat --users 5000 --room-size 10 --rate 0.1 --report chat.html");
  sub->add_option("--users", plan->members, "Users in all rooms together")->capture_default_str();
  sub->add_option("--room-size", plan->room_size, "Members of a room")->capture_default_str();
  sub->add_option("--rate", plan->rate, "Messages a second of each user")->capture_default_str();
}

void AddDurable(CLI::App& app, Options& options) {
  const auto plan = std::make_shared<PlanOptions>();
  *plan = {.rooms = 50, .window = 64};
  CLI::App* sub =
      AddScenario(app, options, Scenario::kDurable, plan,
                  "Rooms with one user each, who sends: what the way into the store takes",
                  "Nearly nothing is delivered here, so what is left is storing.\n"
                  "\nExamples:\n"
                  "  confab-loadgen durable --rooms 50 --window 64 --pid control=4712\n"
                  "  confab-loadgen durable --rooms 1000 --window 4 --bytes 1000");
  sub->add_option("--rooms", plan->rooms, "Rooms, and users")->capture_default_str();
  AddWindow(*sub, plan, "Messages of a user that are not answered yet");
}

void AddIdle(CLI::App& app, Options& options) {
  const auto plan = std::make_shared<PlanOptions>();
  *plan = {.members = 1000, .rooms = 1};
  CLI::App* sub = AddScenario(
      app, options, Scenario::kIdle, plan, "Connections that are joined to a room and held",
      "Says what memory and CPU a connection takes while nothing happens; give --pid.\n"
      "\nExamples:\n"
      "  confab-loadgen idle --connections 5000 --duration 1m --pid edge=4711\n"
      "  confab-loadgen idle --connections 50000 --source 127.0.0.2 --source 127.0.0.3");
  sub->add_option("--connections", plan->members, "How many")->capture_default_str();
  sub->add_option("--rooms", plan->rooms, "Rooms that they are in, one each")
      ->capture_default_str();
}

void AddHandshake(CLI::App& app, Options& options) {
  const auto plan = std::make_shared<PlanOptions>();
  *plan = {.members = 1000, .rooms = 1};
  CLI::App* sub = AddScenario(
      app, options, Scenario::kHandshake, plan,
      "Users who connect, upgrade, show a token, join their room and go, in turn",
      "As many at a time as --concurrency says. Says what it is like when everybody comes back.\n"
      "\nExamples:\n"
      "  confab-loadgen handshake --users 1000 --concurrency 100 --pid edge=4711");
  sub->add_option("--users", plan->members, "Users who take turns")->capture_default_str();
  sub->add_option("--rooms", plan->rooms, "Rooms that they are in, one each")
      ->capture_default_str();
}

// Empty: it is a name. CLI11 takes checks in this form.
std::string CheckRun(const std::string& name) {
  const bool is_plain = std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
  });
  if (is_plain && !name.empty() && name.size() <= kRunBytesLimit) return "";
  return fmt::format("give 1 to {} letters, digits, - or _", kRunBytesLimit);
}

absl::Status ReadTime(const char* option, const std::string& text, absl::Duration min,
                      absl::Duration& time) {
  if (absl::ParseDuration(text, &time) && time >= min && time <= kTimeMax) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      fmt::format("--{} {}: give a time such as 500ms, 10s or 2m", option, text));
}

}  // namespace

void AddScenarios(CLI::App& app, Options& options) {
  AddFanout(app, options);
  AddPairs(app, options);
  AddChat(app, options);
  AddDurable(app, options);
  AddIdle(app, options);
  AddHandshake(app, options);
}

void AddCommonOptions(CLI::App& app, Options& options, TimeTexts& times) {
  app.add_option("--url", options.urls,
                 "Where an edge listens, ws://HOST:PORT; several take clients in turn")
      ->allow_extra_args(false)
      ->default_str(options.urls.front());
  app.add_option("--user-secret-file", options.tokens.user_secret_file,
                 "Secret of users' tokens, as the edge has it: tokens are signed with it")
      ->envname("CONFAB_USER_SECRET_FILE")
      ->type_name("FILE");
  app.add_option("--token-file", options.tokens.token_file,
                 "Instead: ready tokens of as many users as the load has, one a line")
      ->type_name("FILE");
  app.add_option("--issuer", options.tokens.issuer, "Claim iss, if the edge asks for one");
  app.add_option("--audience", options.tokens.audience, "Claim aud, if the edge asks for one");
  app.add_option("--run", options.run,
                 "Name of the run, in those of its rooms and users, load-NAME-N; rooms that are "
                 "there already are used again (default: a new one)")
      ->check(CheckRun)
      ->type_name("NAME");
  app.add_option("--duration", times.duration, "How long is measured")->capture_default_str();
  app.add_option("--warm-up", times.warm_up, "Before that, the same without being measured")
      ->capture_default_str();
  app.add_option("--timeout", times.answer_time, "How long an answer may take, in the end too")
      ->capture_default_str();
  app.add_option("--setup-time", times.setup_time,
                 "How long making rooms and opening connections may take")
      ->capture_default_str();
  app.add_option("--concurrency", options.concurrency, "Connections that are opened at a time")
      ->check(CLI::Range(1U, kConcurrencyLimit))
      ->capture_default_str();
  app.add_option("--bytes", options.content_bytes, "Content of a message")
      ->check(CLI::Range(static_cast<uint32_t>(kContentBytesMin),
                         static_cast<uint32_t>(kContentBytesLimit)))
      ->type_name("NUMBER")
      ->capture_default_str();
  app.add_option("--pid", options.processes,
                 "A process whose CPU and memory are counted, with its children: [NAME=]PID; "
                 "several, one each")
      ->allow_extra_args(false);
  app.add_option("--source", options.sources,
                 "An address of this host to connect from; several are taken in turn: one has some "
                 "28,000 ports")
      ->allow_extra_args(false);
}

absl::Status ReadTimes(const TimeTexts& times, Options& options) {
  const absl::Duration some = absl::Milliseconds(1);
  if (auto status = ReadTime("duration", times.duration, some, options.duration); !status.ok()) {
    return status;
  }
  if (auto status = ReadTime("warm-up", times.warm_up, absl::ZeroDuration(), options.warm_up);
      !status.ok()) {
    return status;
  }
  if (auto status = ReadTime("timeout", times.answer_time, some, options.answer_time);
      !status.ok()) {
    return status;
  }
  return ReadTime("setup-time", times.setup_time, some, options.setup_time);
}

}  // namespace confab::loadgen
