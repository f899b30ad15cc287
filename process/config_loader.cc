#include "process/config_loader.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <unistd.h>

#include <absl/strings/ascii.h>
#include <absl/strings/str_join.h>
#include <fmt/format.h>
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include "process/config_text.h"

namespace confab::process {
namespace {

// A configuration is a page of text; more is the wrong file.
constexpr size_t kConfigFileLimit = 1024 * 1024;

constexpr std::string_view kBuiltIn[] = {"config", "print-config", "help", "version"};

// How many letters to change, drop or add to make one of the other.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row[b.size()];
}

std::string FlagOfVariable(std::string_view variable) {
  std::string flag = absl::AsciiStrToLower(std::string(variable.substr(7)));
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

// The text of a TOML value, as a flag would give it; nothing for tables and dates.
std::optional<std::string> TextOf(const toml::node& node) {
  if (const auto text = node.value_exact<std::string>()) return *text;
  if (const auto flag = node.value_exact<bool>()) return *flag ? "true" : "false";
  if (const auto number = node.value_exact<int64_t>()) return fmt::format("{}", *number);
  if (const auto number = node.value_exact<double>()) return fmt::format("{}", *number);
  return std::nullopt;
}

std::optional<std::string> TextOfArray(const toml::array& array) {
  std::vector<std::string> entries;
  for (const toml::node& node : array) {
    const std::optional<std::string> text = TextOf(node);
    if (!text || text->find(',') != std::string::npos) return std::nullopt;
    entries.push_back(*text);
  }
  return absl::StrJoin(entries, ",");
}

absl::StatusOr<std::string> ReadSmallFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::InvalidArgumentError(fmt::format("--config: cannot read {}", path));
  std::string text(kConfigFileLimit + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  if (file.bad() || text.size() > kConfigFileLimit) {
    return absl::InvalidArgumentError(
        fmt::format("--config: {} is no file of at most {} bytes", path, kConfigFileLimit));
  }
  return text;
}

}  // namespace

ConfigLoader::ConfigLoader(std::string program, std::string summary)
    : program_(std::move(program)), summary_(std::move(summary)) {}

ConfigOption& ConfigLoader::Add(std::string_view flag, ConfigOption::Target target,
                                std::string_view help, std::string_view group) {
  if (ConfigOption* known = Find(flag)) {
    known->AddTarget(target);
    return *known;
  }
  return options_.emplace_back(std::string(flag), target, std::string(help), std::string(group));
}

void ConfigLoader::Drop(std::string_view flag) {
  std::erase_if(options_, [flag](const ConfigOption& option) { return option.flag() == flag; });
}

void ConfigLoader::Example(std::string_view command, std::string_view what) {
  examples_.emplace_back(command, what);
}

ConfigOption* ConfigLoader::Find(std::string_view flag) {
  const auto found = std::find_if(options_.begin(), options_.end(),
                                  [flag](const auto& option) { return option.flag() == flag; });
  return found == options_.end() ? nullptr : &*found;
}

std::string ConfigLoader::OriginOf(std::string_view flag) const {
  const auto found = std::find_if(options_.begin(), options_.end(),
                                  [flag](const auto& option) { return option.flag() == flag; });
  return found == options_.end() ? "" : found->origin();
}

std::vector<std::string> ConfigLoader::FlagsToRestartFor(const ConfigLoader& running) const {
  std::vector<std::string> flags;
  for (const ConfigOption& option : options_) {
    if (option.reloads()) continue;
    const auto same =
        std::find_if(running.options_.begin(), running.options_.end(),
                     [&](const ConfigOption& other) { return other.flag() == option.flag(); });
    if (same != running.options_.end() && same->Show() != option.Show()) {
      flags.push_back(option.flag());
    }
  }
  return flags;
}

std::string ConfigLoader::Suggestion(std::string_view flag, std::string_view prefix) const {
  std::vector<std::string> names(std::begin(kBuiltIn), std::end(kBuiltIn));
  for (const ConfigOption& option : options_) names.push_back(option.flag());
  const auto nearest = std::min_element(names.begin(), names.end(), [&](auto& a, auto& b) {
    return Distance(flag, a) < Distance(flag, b);
  });
  if (Distance(flag, *nearest) <= 2) return fmt::format("; did you mean {}{}?", prefix, *nearest);
  for (const std::string& name : names) {
    if (flag.size() >= 3 && name.find(flag) != std::string::npos) {
      return fmt::format("; did you mean {}{}?", prefix, name);
    }
  }
  return "; --help lists all";
}

absl::Status ConfigLoader::Set(ConfigOption& option, std::string_view text, std::string origin,
                               std::string_view where) {
  absl::Status status = option.Assign(text, std::move(origin));
  if (status.ok()) return status;
  return absl::InvalidArgumentError(fmt::format("{}: {}", where, std::string(status.message())));
}

absl::Status ConfigLoader::LoadFile(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadSmallFile(path);
  if (!text.ok()) return text.status();
  const toml::parse_result parsed = toml::parse(*text, path);
  if (!parsed) {
    return absl::InvalidArgumentError(fmt::format(
        "{}:{}: {}", path, parsed.error().source().begin.line, parsed.error().description()));
  }
  for (const auto& [key, node] : parsed.table()) {
    const std::string origin = fmt::format("{}:{}", path, node.source().begin.line);
    const std::string where = fmt::format("{}: {}", origin, key.str());
    ConfigOption* option = Find(key.str());
    if (option == nullptr) {
      return absl::InvalidArgumentError(
          fmt::format("{}: unknown key{}", where, Suggestion(key.str(), "")));
    }
    const toml::array* array = option->is_list() ? node.as_array() : nullptr;
    const std::optional<std::string> value = array ? TextOfArray(*array) : TextOf(node);
    if (!value) {
      return absl::InvalidArgumentError(fmt::format("{} is not {}", where, option->Allowed()));
    }
    if (absl::Status status = Set(*option, *value, origin, where); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ConfigLoader::LoadEnvironment() {
  for (ConfigOption& option : options_) {
    const std::string name = option.EnvironmentName();
    const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): before threads
    if (value == nullptr || *value == '\0') continue;
    if (absl::Status status = Set(option, value, name, name); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// Another process's variables may stand in the same environment, so that a strange one is no error.
void ConfigLoader::WarnOfStrangeVariables() {
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view variable(*entry, std::string_view(*entry).find('='));
    if (!variable.starts_with("CONFAB_") || variable == "CONFAB_CONFIG") continue;
    const std::string flag = FlagOfVariable(variable);
    if (Find(flag) != nullptr) continue;
    for (const ConfigOption& option : options_) {
      if (Distance(flag, option.flag()) <= 2) {
        warnings_.push_back(fmt::format("environment variable {} is not used; did you mean {}?",
                                        variable, option.EnvironmentName()));
      }
    }
  }
}

absl::Status ConfigLoader::ReadFlags(int argc, const char* const* argv) {
  wants_help_ = wants_version_ = wants_config_ = false;
  config_path_.clear();
  given_.clear();
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "-h" || word == "--help") wants_help_ = true;
    if (word == "--version") wants_version_ = true;
    if (word == "--print-config") wants_config_ = true;
  }
  if (wants_help_ || wants_version_) return absl::OkStatus();

  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--print-config") continue;
    const char* next = i + 1 < argc ? argv[i + 1] : nullptr;
    const absl::StatusOr<bool> took_next = ReadFlag(word, next);
    if (!took_next.ok()) return took_next.status();
    if (*took_next) ++i;
  }
  return absl::OkStatus();
}

// --flag=value, --flag value, --flag and --no-flag; true if `next` was the value.
absl::StatusOr<bool> ConfigLoader::ReadFlag(std::string_view word, const char* next) {
  if (!word.starts_with("--") || word.size() < 3) {
    return absl::InvalidArgumentError(
        fmt::format("unexpected \"{}\": every option is written --flag VALUE (--help lists them)",
                    word.substr(0, 200)));
  }
  const size_t equals = word.find('=');
  const bool has_value = equals != std::string_view::npos;
  const std::string_view flag = word.substr(2, has_value ? equals - 2 : word.size());
  ConfigOption* option = Find(flag);
  ConfigOption* denied = flag.starts_with("no-") && !has_value ? Find(flag.substr(3)) : nullptr;
  if (option == nullptr && denied != nullptr && denied->is_bool()) {
    given_.emplace_back(denied, "false");
    return false;
  }
  if (option == nullptr && flag != "config") {
    return absl::InvalidArgumentError(fmt::format("unknown flag --{}{}", flag.substr(0, 200),
                                                  Suggestion(flag.substr(0, 64), "--")));
  }
  if (!has_value && option != nullptr && option->is_bool()) {
    given_.emplace_back(option, "true");
    return false;
  }
  if (!has_value && (next == nullptr || std::string_view(next).starts_with("--"))) {
    return absl::InvalidArgumentError(
        fmt::format("--{} needs a value: {}", flag, option ? option->Allowed() : "a file's path"));
  }
  std::string value(has_value ? word.substr(equals + 1) : next);
  if (option == nullptr) {
    config_path_ = std::move(value);
  } else {
    given_.emplace_back(option, std::move(value));
  }
  return !has_value;
}

absl::StatusOr<bool> ConfigLoader::Load(int argc, const char* const* argv) {
  if (absl::Status status = ReadFlags(argc, argv); !status.ok()) return status;
  if (wants_help_) {
    std::fputs(HelpText().c_str(), stdout);
    return false;
  }
  if (wants_version_) {
    std::fputs(fmt::format("{} {}\n", program_, CONFAB_VERSION).c_str(), stdout);
    return false;
  }
  const char* path = std::getenv("CONFAB_CONFIG");  // NOLINT(concurrency-mt-unsafe): before threads
  if (config_path_.empty() && path != nullptr) config_path_ = path;
  if (!config_path_.empty()) {
    if (absl::Status status = LoadFile(config_path_); !status.ok()) return status;
  }
  if (absl::Status status = LoadEnvironment(); !status.ok()) return status;
  for (const auto& [option, value] : given_) {
    const std::string origin = "--" + option->flag();
    if (absl::Status status = Set(*option, value, origin, origin); !status.ok()) return status;
  }
  WarnOfStrangeVariables();
  if (!wants_config_) return true;
  std::fputs(ConfigText().c_str(), stdout);
  return false;
}

std::string ConfigLoader::HelpText() const {
  return ConfigHelp(program_, summary_, options_, examples_);
}

std::string ConfigLoader::ConfigText() const { return ConfigFile(program_, options_); }

}  // namespace confab::process
