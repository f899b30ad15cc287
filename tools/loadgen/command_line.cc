#include "tools/loadgen/command_line.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "tools/help/completion.h"
#include "tools/help/help_format.h"
#include "tools/help/man_page.h"
#include "tools/loadgen/html_report.h"
#include "tools/loadgen/json_report.h"
#include "tools/loadgen/load_run.h"
#include "tools/loadgen/scenario_options.h"
#include "tools/loadgen/text_report.h"

namespace confab::loadgen {
namespace {

constexpr char kProgram[] = "confab-loadgen";

constexpr char kSummary[] =
    "Loads a running Confab with clients as the stock ones are (Socket.IO over WebSocket), checks\n"
    "every delivery, and says what it took: latency, throughput, CPU by unit of work.";

constexpr char kExamples[] =
    R"(It makes rooms load-RUN-N, whose members are users load-RUN-N, and leaves them there. An edge's
limits protect it from such clients; for a load start it with
  --rate-sends off --rate-frames off --rate-joins off --rate-accepts off
and docs/limits.md has the others. docs/loadgen.md explains scenarios and figures.

Examples:
  confab-loadgen fanout --members 1000 --url ws://127.0.0.1:8080 --user-secret-file data/user.secret
  confab-loadgen pairs --users 200 --pid edge=4711 --pid control=4712 --report pairs.html
  confab-loadgen chat --users 1000 --rate 1 --duration 30s -o json
  confab-loadgen idle --connections 5000 --duration 1m --pid edge=4711

Exit codes:)";

const std::vector<std::pair<int, std::string>>& ExitMeanings() {
  static const std::vector<std::pair<int, std::string>> meanings = {
      {static_cast<int>(Exit::kDone), "done, and nothing lost, doubled, out of order or refused"},
      {static_cast<int>(Exit::kFaults),
       "a fault was found, or the server refused or closed something"},
      {static_cast<int>(Exit::kUsage), "the command line is wrong, or a file cannot be used"},
      {static_cast<int>(Exit::kUnreachable), "the edge cannot be reached or does not answer"},
      {static_cast<int>(Exit::kNotAuthorised), "the tokens are not taken"},
      {static_cast<int>(Exit::kInterrupted),
       "interrupted by Ctrl-C or TERM, clean so far: the report is of what there was"}};
  return meanings;
}

std::string FooterText() {
  std::string text = kExamples;
  for (const auto& [code, what] : ExitMeanings()) text += fmt::format("\n  {:<3} {}", code, what);
  return text;
}

// What a server said may hold anything.
std::string Harmless(std::string text) {
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return text;
}

Exit Fail(const Streams& streams, Exit exit, const std::string& text) {
  streams.err << kProgram << ": " << Harmless(text) << std::endl;
  return exit;
}

Exit UsageError(const Streams& streams, const CLI::ParseError& error, const CLI::App& app) {
  std::string path = kProgram;
  const std::vector<CLI::App*> chosen = app.get_subcommands();
  if (!chosen.empty()) path += " " + chosen.front()->get_name();
  std::string what = error.what();
  if (chosen.empty()) {
    std::string names;
    for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
      names += (names.empty() ? "" : ", ") + sub->get_name();
    }
    const std::vector<std::string> rest = app.remaining(true);
    what = fmt::format(
        "{}; there are {}",
        rest.empty() ? "say what to do" : fmt::format("there is no {}", rest.front()), names);
  }
  return Fail(streams, Exit::kUsage, fmt::format("{}; see {} --help", what, path));
}

// Tried before the load, so that nobody waits for a report that cannot be written.
absl::Status OpenReport(const std::string& path, std::ofstream& file) {
  if (path.empty()) return absl::OkStatus();
  file.open(path, std::ios::trunc);
  if (file) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format("--report {}: cannot be written", path));
}

Exit Load(const Options& options, const Streams& streams) {
  const absl::StatusOr<Plan> plan = MakePlan(options.scenario, options.plan);
  if (!plan.ok()) return Fail(streams, Exit::kUsage, std::string(plan.status().message()));
  if (options.scenario == Scenario::kHandshake && plan->members() < options.concurrency) {
    return Fail(streams, Exit::kUsage,
                fmt::format("--users {}: give at least as many as --concurrency, {}",
                            plan->members(), options.concurrency));
  }
  std::ofstream report;
  if (const absl::Status status = OpenReport(options.report, report); !status.ok()) {
    return Fail(streams, Exit::kUsage, std::string(status.message()));
  }
  const bool shows_progress = streams.shows_progress && !options.is_quiet;
  LoadRun run(options, *plan, shows_progress ? &streams.err : nullptr);
  if (const Failure failure = run.Run(); failure.happened()) {
    return Fail(streams, failure.exit, failure.text);
  }
  const Outcome& outcome = run.outcome();
  if (outcome.is_interrupted && outcome.elapsed_s == 0) {
    return Fail(streams, Exit::kInterrupted, "interrupted before anything was measured");
  }
  if (options.is_json) {
    streams.out << boost::json::serialize(JsonOf(outcome)) << std::endl;
  } else {
    streams.out << fmt::format("{} {}, run {}\n", kProgram, NameOf(options.scenario), outcome.run)
                << TextOf(outcome) << std::flush;
  }
  if (report.is_open()) {
    report << HtmlOf(outcome) << std::flush;
    if (!report) {
      return Fail(streams, Exit::kUsage,
                  fmt::format("--report {}: the disk is full?", options.report));
    }
    if (!options.is_json) streams.out << "report: " << options.report << std::endl;
  }
  return outcome.exit();
}

using Act = std::function<Exit()>;

void AddCompletion(CLI::App& app, const Streams& streams, Act& act) {
  auto shell = std::make_shared<std::string>();
  CLI::App* sub = app.add_subcommand("completion", "Prints a completion script for a shell");
  sub->group("Others");
  sub->add_option("SHELL", *shell, "Whose")->required()->check(CLI::IsMember(help::Shells()));
  sub->footer("Examples:\n  source <(confab-loadgen completion bash)");
  sub->callback([shell, root = &app, &streams, &act] {
    act = [shell, root, &streams] {
      help::PrintCompletion(*shell, help::TreeOf(*root), streams.out);
      return Exit::kDone;
    };
  });
}

void AddMan(CLI::App& app, const Streams& streams, Act& act) {
  CLI::App* sub = app.add_subcommand("man", "Prints the manual page of all of this");
  sub->group("Others");
  sub->footer("Examples:\n  confab-loadgen man | man -l -");
  sub->callback([root = &app, &streams, &act] {
    act = [root, &streams] {
      help::PrintManPage({.root = help::TreeOf(*root),
                          .summary = "loads a running Confab and checks what it delivers",
                          .exit_codes = ExitMeanings()},
                         streams.out);
      return Exit::kDone;
    };
  });
}

void AddOutput(CLI::App& app, Options& options, std::string& output) {
  app.add_option("-o,--output", output, "json: one object, for scripts")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  app.add_option("--report", options.report, "Writes a page with tables and plots there, HTML")
      ->type_name("FILE");
  app.add_flag("-q,--quiet", options.is_quiet, "Shows no progress");
}

}  // namespace

Exit Run(const std::vector<std::string>& args, Streams streams) {
  Options options;
  TimeTexts times;
  std::string output = "table";
  Act act = [&] { return Load(options, streams); };
  CLI::App app(kSummary, kProgram);
  app.fallthrough();
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string(kProgram) + " " CONFAB_VERSION,
                       "Says which version this is");
  app.footer(FooterText());
  AddCommonOptions(app, options, times);
  AddOutput(app, options, output);
  AddScenarios(app, options);
  AddCompletion(app, streams, act);
  AddMan(app, streams, act);
  help::FormatHelp(app, {.at_root = "SCENARIO", .nouns = "Scenarios", .verbs = "Others"});
  try {
    std::vector<std::string> reversed(args.rbegin(), args.rend());  // As CLI11 wants them.
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) return UsageError(streams, error, app);
    app.exit(error, streams.out, streams.err);  // --help, --version
    return Exit::kDone;
  }
  options.is_json = output == "json";
  if (const absl::Status status = ReadTimes(times, options); !status.ok()) {
    return Fail(streams, Exit::kUsage, std::string(status.message()));
  }
  return act();
}

}  // namespace confab::loadgen
