#include "tools/confabctl/settings.h"

#include <cstdlib>
#include <filesystem>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include "process/bounded_file.h"
#include "tools/confabctl/output.h"

namespace confab::ctl {
namespace {

constexpr size_t kFileBytesLimit = 256 * 1024;  // Hundreds of contexts; more is the wrong file.

struct Setting {
  const char* flag;
  const char* variable;
  const char* what;
  bool is_file;
  bool is_credential;  // A flag for one of these goes before both.
  std::string& (*field)(Invocation&);
};

constexpr Setting kSettings[] = {
    {"control", "CONFAB_CONTROL", "Where control listens: HOST:PORT or unix:PATH", false, false,
     [](Invocation& run) -> std::string& { return run.control; }},
    {"token", "CONFAB_TOKEN", "Service token to show", false, true,
     [](Invocation& run) -> std::string& { return run.token; }},
    {"service-secret-file", "CONFAB_SERVICE_SECRET_FILE",
     "Without --token: sign a short-lived token with this secret", true, true,
     [](Invocation& run) -> std::string& { return run.service_secret_file; }},
    {"control-tls-cert", "CONFAB_CONTROL_TLS_CERT",
     "PEM certificate to show to a control that is reached over TLS", true, false,
     [](Invocation& run) -> std::string& { return run.tls.cert; }},
    {"control-tls-key", "CONFAB_CONTROL_TLS_KEY", "Its private key", true, false,
     [](Invocation& run) -> std::string& { return run.tls.key; }},
    {"control-tls-ca", "CONFAB_CONTROL_TLS_CA", "PEM certificates of who signs control's", true,
     false, [](Invocation& run) -> std::string& { return run.tls.ca; }},
};

const Setting* FindSetting(std::string_view flag) {
  for (const Setting& setting : kSettings) {
    if (setting.flag == flag) return &setting;
  }
  return nullptr;
}

std::string FromEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

absl::Status Wrong(const std::string& path, const toml::node& node, const std::string& what) {
  return absl::InvalidArgumentError(
      fmt::format("{}:{}: {}", path, static_cast<uint32_t>(node.source().begin.line), what));
}

std::string KnownKeys() {
  std::string keys;
  for (const Setting& setting : kSettings) {
    keys += fmt::format("{}{}", keys.empty() ? "" : ", ", setting.flag);
  }
  return keys;
}

// Paths of the file are meant from where it lies.
absl::StatusOr<Context> ReadContext(const std::string& path, const std::string& name,
                                    const toml::node& node) {
  const toml::table* table = node.as_table();
  if (table == nullptr) return Wrong(path, node, "write [contexts.NAME]");
  Context context;
  context.name = name;
  for (const auto& [key, value] : *table) {
    const std::string flag(key.str());
    const Setting* setting = FindSetting(flag);
    if (setting == nullptr) {
      return Wrong(path, value,
                   fmt::format("there is no {}; there are {}", Printable(flag), KnownKeys()));
    }
    std::optional<std::string> text = value.value_exact<std::string>();
    if (!text.has_value()) return Wrong(path, value, fmt::format("{}: give a text", flag));
    if (setting->is_file) {
      *text = (std::filesystem::path(path).parent_path() / *text).lexically_normal().string();
    }
    context.values[flag] = *std::move(text);
  }
  if (context.Get("control").empty()) return Wrong(path, node, "control: say where it listens");
  return context;
}

}  // namespace

const std::string& Context::Get(const std::string& flag) const {
  static const std::string none;
  const auto value = values.find(flag);
  return value == values.end() ? none : value->second;
}

Settings::Settings(CLI::App& app, Invocation& run) : app_(app), run_(run) {
  app.add_option("--context", run.context,
                 "A named way to reach control: see context list. The variables of the options "
                 "below are not read then")
      ->envname("CONFAB_CONTEXT");
  app.add_option("--contexts-file", file_,
                 "Where contexts stand; else ~/.config/confab/contexts.toml")
      ->envname("CONFAB_CONTEXTS_FILE")
      ->type_name("FILE");
  for (const Setting& setting : kSettings) {
    std::string& field = setting.field(run);
    CLI::Option* option = app.add_option(std::string("--") + setting.flag, field,
                                         fmt::format("{} ({})", setting.what, setting.variable));
    if (!field.empty()) option->capture_default_str();
    if (setting.is_file) option->type_name("FILE");
  }
}

absl::Status Settings::Resolve() {
  std::optional<Context> context;
  if (!run_.context.empty()) {
    absl::StatusOr<Context> found = FindContext();
    if (!found.ok()) return found.status();
    context = *std::move(found);
  }
  const auto is_given = [this](const char* flag) {
    return app_.get_option(std::string("--") + flag)->count() > 0;
  };
  const bool has_credential = is_given("token") || is_given("service-secret-file");
  for (const Setting& setting : kSettings) {
    if (is_given(setting.flag) || (setting.is_credential && has_credential)) continue;
    const std::string value =
        context.has_value() ? context->Get(setting.flag) : FromEnvironment(setting.variable);
    if (!value.empty()) setting.field(run_) = value;
  }
  return absl::OkStatus();
}

std::string Settings::FilePath() const {
  if (!file_.empty()) return file_;
  std::string folder = FromEnvironment("XDG_CONFIG_HOME");
  if (folder.empty()) folder = FromEnvironment("HOME") + "/.config";
  return folder + "/confab/contexts.toml";
}

absl::StatusOr<std::vector<Context>> Settings::ReadContexts() const {
  const std::string path = FilePath();
  absl::StatusOr<std::string> text = process::ReadBoundedFile(path, kFileBytesLimit);
  if (absl::IsNotFound(text.status()) && file_.empty() && run_.context.empty()) {
    return std::vector<Context>();
  }
  if (!text.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("--contexts-file: {}", std::string(text.status().message())));
  }
  const toml::parse_result parsed = toml::parse(*text, path);
  if (!parsed) {
    return absl::InvalidArgumentError(
        fmt::format("{}:{}: {}", path, static_cast<uint32_t>(parsed.error().source().begin.line),
                    parsed.error().description()));
  }
  std::vector<Context> contexts;
  for (const auto& [key, node] : parsed.table()) {
    if (key.str() != "contexts" || !node.is_table()) {
      return Wrong(path, node, "only [contexts.NAME] stands here");
    }
    for (const auto& [name, entry] : *node.as_table()) {
      absl::StatusOr<Context> context = ReadContext(path, std::string(name.str()), entry);
      if (!context.ok()) return context.status();
      contexts.push_back(*std::move(context));
    }
  }
  return contexts;
}

absl::StatusOr<Context> Settings::FindContext() const {
  const absl::StatusOr<std::vector<Context>> contexts = ReadContexts();
  if (!contexts.ok()) return contexts.status();
  std::string names;
  for (const Context& context : *contexts) {
    if (context.name == run_.context) return context;
    names += (names.empty() ? "" : ", ") + Printable(context.name);
  }
  return absl::InvalidArgumentError(fmt::format("--context: there is no {} in {}; there {}",
                                                Printable(run_.context), FilePath(),
                                                names.empty() ? "is none" : "are " + names));
}

}  // namespace confab::ctl
