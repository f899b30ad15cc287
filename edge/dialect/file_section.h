// file_section.h: one object of a dialect file: its members are known by name, and of known types.
// Owns: nothing; views the tree.   Used by: dialect_loader, inbound_event.
// Threads: caller serialises.
// Fails: adds a fault for an unknown member and for one of a wrong type, which then counts as
// missing.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include <google/protobuf/descriptor.h>

#include "edge/dialect/located_json.h"

namespace confab::edge {

// Event and member names, and the dialect's own: DESIGN.md section 7.
inline constexpr size_t kDialectNameBytesLimit = 64;

class FileSection {
 public:
  // `what` names the object in faults ("an event of a client").
  FileSection(const LocatedJson& object, FileFaults& faults, std::string_view what,
              std::initializer_list<std::string_view> names);

  // nullptr if there is none.
  const LocatedJson* FindText(std::string_view name) const;
  const LocatedJson* FindBool(std::string_view name) const;
  const LocatedJson* FindObject(std::string_view name) const;
  // A text of 1 to kDialectNameBytesLimit bytes.
  const LocatedJson* FindName(std::string_view name) const;

 private:
  const LocatedJson* FindKind(std::string_view name, LocatedJson::Kind kind,
                              std::string_view word) const;

  const LocatedJson& object_;
  FileFaults& faults_;
};

// The command of that lowerCamelCase name, one that a native client can give too: whatever else
// travels on the stream is not a client's to say. nullptr and a fault if there is none.
const google::protobuf::FieldDescriptor* FindCommand(const LocatedJson& at, std::string_view name,
                                                     FileFaults& faults);

// "roomId, content, …".
std::string FieldNames(const google::protobuf::Descriptor& type);

}  // namespace confab::edge
