#include "tools/confabctl/command_line.h"

#include <algorithm>
#include <istream>
#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>
#include <absl/strings/numbers.h>
#include <fmt/format.h>

#include "tools/confabctl/output.h"
#include "tools/confabctl/settings.h"
#include "tools/help/help_format.h"

namespace confab::ctl {
namespace {

constexpr char kSummary[] =
    "Administers Confab: rooms, members (also bans and mutes), messages, presence, connections,\n"
    "tokens, the audit table. Talks gRPC to confab-control (or confab).";

constexpr char kExamples[] = R"(confabctl NOUN VERB --help says what a verb takes, with examples.

Examples:
  confabctl room create lobby --members ann,ben
  confabctl member ban lobby eve --for 7d
  confabctl message post lobby "The server restarts at noon"
  confabctl message tail lobby
  confabctl room list -o json | jq -r '.rooms[].id'
  confabctl token mint --user ann --name Ann --user-secret-file user.secret

Exit codes:)";

struct GlobalOptions {
  std::string output = "table";
  std::string timeout = "5s";
};

void AddGlobals(CLI::App& app, GlobalOptions& globals) {
  app.add_option("-o,--output", globals.output,
                 "json: proto3 JSON, for scripts; jsonl: of lists, an object a line")
      ->check(CLI::IsMember({"table", "json", "jsonl"}))
      ->capture_default_str();
  app.add_option("--timeout", globals.timeout, "How long to wait for an answer")
      ->capture_default_str();
}

std::string FooterText() {
  std::string text = kExamples;
  for (const auto& [code, what] : ExitMeanings()) {
    text += fmt::format("\n  {}  {}", static_cast<int>(code), what);
  }
  return text;
}

void AddVerbs(CLI::App& app, Invocation& run, const Settings& settings) {
  AddRoomVerbs(app, run);
  AddMemberVerbs(app, run);
  AddMessageVerbs(app, run);
  AddPushVerbs(app, run);
  AddFeedVerbs(app, run);
  AddPresenceVerbs(app, run);
  AddConnectionVerbs(app, run);
  AddEdgeVerbs(app, run);
  AddAuditVerbs(app, run);
  AddUserVerbs(app, run);
  AddDbVerbs(app, run);
  AddTokenVerbs(app, run);
  AddContextVerbs(app, run, settings);
  AddHealthVerb(app, run);
  AddCompletionVerb(app, run);
  AddManVerb(app, run);
  help::FormatHelp(app);
}

std::vector<const CLI::App*> VerbsOf(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

std::string NamesOf(const std::vector<const CLI::App*>& verbs) {
  std::string names;
  for (const CLI::App* verb : verbs) names += (names.empty() ? "" : ", ") + verb->get_name();
  return names;
}

// In one line, in our words where CLI11's do not help.
Exit UsageError(const CLI::ParseError& error, const CLI::App& app, const Invocation& run) {
  std::string path = "confabctl";
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    path += " " + at->get_name();
  }
  std::string what = error.what();
  if (const auto verbs = VerbsOf(*at); !verbs.empty()) {
    const std::vector<std::string> rest = app.remaining(true);
    what =
        fmt::format("{}; there are {}",
                    rest.empty() ? "say what to do" : fmt::format("there is no {}", rest.front()),
                    NamesOf(verbs));
  }
  std::replace(what.begin(), what.end(), '\n', ' ');
  return run.Fail(Exit::kUsage, fmt::format("{}; see {} --help", what, path));
}

}  // namespace

Exit Invocation::Fail(Exit code, const std::string& text) const {
  streams.err << "confabctl: " << text << std::endl;
  return code;
}

CLI::App* AddNoun(CLI::App& app, const std::string& name, const std::string& what) {
  CLI::App* noun = app.add_subcommand(name, what);
  noun->require_subcommand(1);
  noun->footer(fmt::format(
      "confabctl {} VERB --help says what a verb takes, with examples; confabctl --help says what\n"
      "all take.",
      name));
  return noun;
}

std::string IsSeq(const std::string& text) {
  return text.starts_with('-') ? "a seq is 0 or greater" : "";
}

bool ParseTime(const std::string& text, absl::Duration* duration) {
  int32_t days = 0;
  if (text.ends_with('d') && absl::SimpleAtoi(text.substr(0, text.size() - 1), &days)) {
    *duration = absl::Hours(24) * days;
    return days > 0;
  }
  return absl::ParseDuration(text, duration) && *duration > absl::ZeroDuration();
}

const std::vector<std::pair<Exit, std::string>>& ExitMeanings() {
  static const std::vector<std::pair<Exit, std::string>> meanings = {
      {Exit::kDone, "done"},
      {Exit::kRefused, "refused by the server (no such room, exists already, busy, ...)"},
      {Exit::kUsage, "the command line is wrong, or a question was not answered with yes"},
      {Exit::kUnreachable, "control cannot be reached or does not answer"},
      {Exit::kNotAuthorised, "not authorised: no token, or not one for this"}};
  return meanings;
}

Exit Run(const std::vector<std::string>& args, Streams streams) {
  Invocation run(streams);
  GlobalOptions globals;
  CLI::App app(kSummary, "confabctl");
  app.fallthrough();
  app.require_subcommand(1);
  app.set_version_flag("--version", "confabctl " CONFAB_VERSION, "Says which version this is");
  app.footer(FooterText());
  Settings settings(app, run);
  AddGlobals(app, globals);
  AddVerbs(app, run, settings);
  try {
    std::vector<std::string> reversed(args.rbegin(), args.rend());  // As CLI11 wants them.
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) return UsageError(error, app, run);
    app.exit(error, streams.out, streams.err);  // --help, --version
    return Exit::kDone;
  }
  for (const std::string& arg : args) {
    if (!IsUtf8(arg)) {
      return run.Fail(Exit::kUsage, fmt::format("{}: is not valid UTF-8", Printable(arg)));
    }
  }
  run.is_jsonl = globals.output == "jsonl";
  run.is_json = run.is_jsonl || globals.output == "json";
  if (!ParseTime(globals.timeout, &run.timeout)) {
    return run.Fail(Exit::kUsage, fmt::format("--timeout {}: give a time such as 500ms, 5s or 1m",
                                              globals.timeout));
  }
  if (run.needs_settings) {
    if (const absl::Status resolved = settings.Resolve(); !resolved.ok()) {
      return run.Fail(Exit::kUsage, std::string(resolved.message()));
    }
  }
  return run.verb(run);
}

}  // namespace confab::ctl
