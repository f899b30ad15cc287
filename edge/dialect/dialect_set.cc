#include "edge/dialect/dialect_set.h"

#include <absl/status/status.h>

#include "edge/dialect/confab_dialect.h"

namespace confab::edge {

absl::StatusOr<DialectSet> DialectSet::Load(const std::string& directory) {
  if (!directory.empty()) return absl::UnimplementedError("dialects are not read from files yet");
  DialectSet set;
  set.dialects_.push_back(std::make_unique<ConfabDialect>());
  return set;
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
