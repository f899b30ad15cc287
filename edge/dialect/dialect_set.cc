#include "edge/dialect/dialect_set.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include <absl/status/status.h>
#include <fmt/format.h>

#include "edge/dialect/builtin_dialects.h"
#include "edge/dialect/dialect_loader.h"

namespace confab::edge {

namespace {

namespace fs = std::filesystem;

// The files of a directory that end in .json, by name, so that places do not depend on the disk.
absl::StatusOr<std::vector<std::string>> DialectFiles(const std::string& directory) {
  std::error_code error;
  std::vector<std::string> files;
  for (fs::directory_iterator i(directory, error), end; !error && i != end; i.increment(error)) {
    if (i->path().extension() == ".json") files.push_back(i->path().string());
  }
  if (error) {
    return absl::NotFoundError(fmt::format("{}: the directory of dialects cannot be read: {}",
                                           directory, error.message()));
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

absl::StatusOr<DialectSet> DialectSet::Load(const std::string& directory) {
  DialectSet set;
  for (const BuiltinDialect& builtin : BuiltinDialects()) {
    if (auto added = set.Add(std::string(builtin.file), ParseDialect(builtin.file, builtin.text));
        !added.ok()) {
      return added;
    }
  }
  if (directory.empty()) return set;
  const absl::StatusOr<std::vector<std::string>> files = DialectFiles(directory);
  if (!files.ok()) return files.status();
  if (files->size() > kFilesLimit) {
    return absl::InvalidArgumentError(
        fmt::format("{}: holds more than {} dialects", directory, kFilesLimit));
  }
  for (const std::string& file : *files) {
    if (auto added = set.Add(file, LoadDialectFile(file)); !added.ok()) return added;
  }
  return set;
}

absl::Status DialectSet::Add(const std::string& file,
                             absl::StatusOr<std::unique_ptr<DataDialect>> dialect) {
  if (!dialect.ok()) return dialect.status();
  if (Find((*dialect)->name()) != nullptr) {
    return absl::InvalidArgumentError(
        fmt::format("{}: there is another dialect named {}", file, (*dialect)->name()));
  }
  dialects_.push_back(*std::move(dialect));
  return absl::OkStatus();
}

std::optional<std::size_t> DialectSet::IndexOf(std::string_view name) const {
  for (std::size_t i = 0; i < dialects_.size(); ++i) {
    if (dialects_[i]->name() == name) return i;
  }
  return std::nullopt;
}

const Dialect* DialectSet::Find(std::string_view name) const {
  const std::optional<std::size_t> index = IndexOf(name);
  return index ? dialects_[*index].get() : nullptr;
}

std::string DialectSet::Names() const {
  std::string names;
  for (const auto& dialect : dialects_) {
    if (!names.empty()) names += ", ";
    names += dialect->name();
  }
  return names;
}

}  // namespace confab::edge
