#include "edge/dialect/file_section.h"

#include <algorithm>

#include <fmt/format.h>

#include "confab/v1/client.pb.h"
#include "confab/v1/edge_link.pb.h"

namespace confab::edge {

namespace {

template <typename List>
std::string Join(const List& names) {
  std::string joined;
  for (const auto& name : names) joined += fmt::format("{}{}", joined.empty() ? "" : ", ", name);
  return joined;
}

}  // namespace

FileSection::FileSection(const LocatedJson& object, FileFaults& faults, std::string_view what,
                         std::initializer_list<std::string_view> names)
    : object_(object), faults_(faults) {
  if (!object.is_object()) faults.Add(object.line, fmt::format("{} is an object", what));
  for (const auto& [name, value] : object.members) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    faults.Add(value.line, fmt::format("\"{}\" is unknown; {} has: {}", name, what, Join(names)));
  }
}

const LocatedJson* FileSection::FindKind(std::string_view name, LocatedJson::Kind kind,
                                         std::string_view word) const {
  const LocatedJson* value = object_.Find(name);
  if (value == nullptr || value->kind == kind) return value;
  faults_.Add(value->line, fmt::format("\"{}\" must be {}", name, word));
  return nullptr;
}

const LocatedJson* FileSection::FindText(std::string_view name) const {
  return FindKind(name, LocatedJson::Kind::kString, "a string");
}

const LocatedJson* FileSection::FindBool(std::string_view name) const {
  return FindKind(name, LocatedJson::Kind::kBool, "true or false");
}

const LocatedJson* FileSection::FindObject(std::string_view name) const {
  return FindKind(name, LocatedJson::Kind::kObject, "an object");
}

const LocatedJson* FileSection::FindName(std::string_view name) const {
  const LocatedJson* value = FindText(name);
  if (value == nullptr) return nullptr;
  if (!value->text.empty() && value->text.size() <= kDialectNameBytesLimit) return value;
  faults_.Add(value->line, fmt::format("\"{}\" has 1 to {} bytes", name, kDialectNameBytesLimit));
  return nullptr;
}

const google::protobuf::FieldDescriptor* FindCommand(const LocatedJson& at, std::string_view name,
                                                     FileFaults& faults) {
  const google::protobuf::Descriptor& clients = *v1::ClientFrame::descriptor();
  const google::protobuf::OneofDescriptor& commands = *v1::Command::descriptor()->oneof_decl(0);
  std::string names;
  for (int i = 0; i < commands.field_count(); ++i) {
    const google::protobuf::FieldDescriptor* command = commands.field(i);
    if (clients.FindFieldByName(command->name()) == nullptr) continue;
    if (command->camelcase_name() == name) return command;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", command->camelcase_name());
  }
  faults.Add(at.line, fmt::format("no command is named \"{}\"; there is: {}", name, names));
  return nullptr;
}

std::string FieldNames(const google::protobuf::Descriptor& type) {
  std::string names;
  for (int i = 0; i < type.field_count(); ++i) {
    names += fmt::format("{}{}", i == 0 ? "" : ", ", type.field(i)->camelcase_name());
  }
  return names.empty() ? "none" : names;
}

}  // namespace confab::edge
