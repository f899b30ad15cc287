// confabctl context: list.
#include <ostream>
#include <utility>

#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "tools/confabctl/command_line.h"
#include "tools/confabctl/listing.h"
#include "tools/confabctl/output.h"
#include "tools/confabctl/settings.h"

namespace confab::ctl {
namespace {

// Never the token itself.
std::string TokenOf(const Context& context) {
  if (!context.Get("token").empty()) return "given";
  if (context.Get("service-secret-file").empty()) return "-";
  return "signed with " + Printable(context.Get("service-secret-file"));
}

std::string JsonOf(const Context& context, bool is_chosen) {
  boost::json::object json;
  json["name"] = context.name;
  json["control"] = context.Get("control");
  json["hasToken"] = !context.Get("token").empty();
  json["serviceSecretFile"] = context.Get("service-secret-file");
  json["isTls"] = !context.Get("control-tls-ca").empty();
  json["isChosen"] = is_chosen;
  return boost::json::serialize(json);
}

Exit List(Invocation& run, const Settings& settings) {
  const absl::StatusOr<std::vector<Context>> contexts = settings.ReadContexts();
  if (!contexts.ok()) return run.Fail(Exit::kUsage, std::string(contexts.status().message()));
  Listing listing(run, "contexts", {"CONTEXT", "CONTROL", "TOKEN", "TLS", "CHOSEN"});
  for (const Context& context : *contexts) {
    const bool is_chosen = context.name == run.context;
    listing.Add(JsonOf(context, is_chosen),
                {Printable(context.name), OrDash(context.Get("control")), TokenOf(context),
                 context.Get("control-tls-ca").empty() ? "no" : "yes", is_chosen ? "yes" : "no"});
  }
  listing.End();
  if (contexts->empty()) run.streams.err << "no contexts in " << settings.FilePath() << '\n';
  return Exit::kDone;
}

}  // namespace

void AddContextVerbs(CLI::App& app, Invocation& run, const Settings& settings) {
  CLI::App* noun = AddNoun(app, "context", "Lists the named ways to reach control (--context)");
  CLI::App* verb = noun->add_subcommand("list", "Lists contexts by name");
  verb->footer(
      "A context is a section of ~/.config/confab/contexts.toml with the values of options:\n"
      "\n"
      "  [contexts.staging]\n"
      "  control = \"10.0.0.5:8081\"\n"
      "  service-secret-file = \"staging.secret\"   # beside this file\n"
      "  control-tls-cert = \"operator.crt\"\n"
      "  control-tls-key = \"operator.key\"\n"
      "  control-tls-ca = \"ca.crt\"\n"
      "\n"
      "A token may stand there too (token = \"...\"). Flags of the command line go before it.\n"
      "\nExamples:\n"
      "  confabctl context list\n"
      "  confabctl --context staging room list\n"
      "  export CONFAB_CONTEXT=staging");
  verb->callback([&settings, &run] {
    run.needs_settings = false;
    run.verb = [&settings](Invocation& r) { return List(r, settings); };
  });
}

}  // namespace confab::ctl
