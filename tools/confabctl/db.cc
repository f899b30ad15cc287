// confabctl db: the schema of a store. Speaks to the database itself, for there may be no control yet.
#include <memory>
#include <ostream>
#include <string>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "storage/open_store.h"
#include "tools/confabctl/command_line.h"
#include "tools/confabctl/confirm.h"

namespace confab::ctl {
namespace {

struct StoreOption {
  std::string url = "sqlite:./data/confab.db";
  bool is_yes = false;
};

Exit Explain(const Invocation& run, const StoreOption& store, const absl::Status& status) {
  const Exit exit = absl::IsInvalidArgument(status) ? Exit::kUsage
                    : absl::IsUnavailable(status)   ? Exit::kUnreachable
                                                    : Exit::kRefused;
  return run.Fail(
      exit, fmt::format("{}: {}", storage::RedactedUrl(store.url), std::string(status.message())));
}

std::string NamesOf(const storage::SchemaState& schema) {
  std::string names;
  for (const std::string_view name : schema.missing) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
  }
  return names;
}

void Print(const Invocation& run, const StoreOption& store, const storage::SchemaState& schema) {
  if (run.is_json) {
    boost::json::array missing;
    for (const std::string_view name : schema.missing) missing.emplace_back(std::string(name));
    run.streams.out << boost::json::serialize(
                           boost::json::object{{"store", storage::RedactedUrl(store.url)},
                                               {"version", schema.version},
                                               {"newest", schema.newest},
                                               {"missing", missing}})
                    << '\n';
    return;
  }
  run.streams.out << fmt::format("{}: schema version {}, this program's is {}\n",
                                 storage::RedactedUrl(store.url), schema.version, schema.newest);
  if (schema.version > schema.newest) {
    run.streams.out << "it was made by a newer Confab: run that one\n";
  } else if (!schema.missing.empty()) {
    run.streams.out << fmt::format(
        "missing: {}\n"
        "control brings it up when it becomes active; so does: "
        "confabctl db migrate\n",
        NamesOf(schema));
  } else {
    run.streams.out << "up to date\n";
  }
}

Exit ShowStatus(Invocation& run, const StoreOption& store) {
  const auto schema = storage::ReadSchema(store.url, {});
  if (!schema.ok()) return Explain(run, store, schema.status());
  Print(run, store, *schema);
  return schema->version > schema->newest ? Exit::kRefused : Exit::kDone;
}

// By the lock of who is active, as control does it: nobody may be at work with the old schema.
Exit Migrate(Invocation& run, const StoreOption& store) {
  auto schema = storage::ReadSchema(store.url, {});
  if (schema.ok() && schema->missing.empty()) return ShowStatus(run, store);
  if (!schema.ok() && !absl::IsNotFound(schema.status())) {
    return Explain(run, store, schema.status());
  }
  const std::string names = schema.ok() ? NamesOf(*schema) : "all, in a new file";
  if (!Confirm(run, store.is_yes,
               fmt::format("Apply to {}: {}? There is no way back but a backup.",
                           storage::RedactedUrl(store.url), names))) {
    return Exit::kUsage;
  }
  run.streams.err << fmt::format("applying {}: with a large log it takes minutes", names)
                  << std::endl;
  const auto opened = storage::OpenStore(store.url, {});
  if (!opened.ok()) return Explain(run, store, opened.status());
  const auto is_ours = (*opened)->TryBecomeActive();
  if (!is_ours.ok()) return Explain(run, store, is_ours.status());
  if (!*is_ours) {
    return run.Fail(Exit::kRefused,
                    "a control is active on this store: stop it first, or start the new version "
                    "as its standby, which brings the schema up when it takes over");
  }
  return ShowStatus(run, store);
}

void AddStore(CLI::App& verb, StoreOption& store) {
  verb.add_option("--store", store.url, "sqlite:PATH or postgresql://USER@HOST/DATABASE")
      ->envname("CONFAB_STORE")
      ->type_name("URL")
      ->capture_default_str();
}

}  // namespace

void AddDbVerbs(CLI::App& app, Invocation& run) {
  CLI::App* noun = AddNoun(app, "db", "Shows and migrates the schema of a store, without control");
  auto store = std::make_shared<StoreOption>();
  CLI::App* verb =
      noun->add_subcommand("status", "Shows which schema version a store has; changes nothing");
  AddStore(*verb, *store);
  verb->footer(
      "Exits with 1 if the schema is newer than this program.\n"
      "\nExamples:\n"
      "  confabctl db status\n"
      "  confabctl db status --store postgresql://confab@localhost/confab -o json");
  verb->callback([store, &run] {
    run.needs_settings = false;
    run.verb = [store](Invocation& r) { return ShowStatus(r, *store); };
  });

  verb = noun->add_subcommand("migrate", "Brings a store's schema to this program's version");
  AddStore(*verb, *store);
  AddYes(*verb, &store->is_yes);
  verb->footer(
      "Control does the same when it becomes active; this is for doing it ahead of that, with no\n"
      "control running. All of it is one transaction.\n"
      "\nExamples:\n"
      "  confabctl db migrate\n"
      "  confabctl db migrate --store postgresql://confab@localhost/confab --yes");
  verb->callback([store, &run] {
    run.needs_settings = false;
    run.verb = [store](Invocation& r) { return Migrate(r, *store); };
  });
}

}  // namespace confab::ctl
